"""What a command is, and the way that all commands share: words to flags, the help page, what is wrong, `main`.

A command's module holds one `Command` called `COMMAND`; `alula.cli.main` lists its name and calls `run`. The module is
imported for `alula --help` too, so whatever is heavy is imported by the functions that need it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from alula import display
from alula.cli import help_text, usage
from alula.cli.flags import Flag, Scan, dashed, scan
from alula_api.contract.diagnostics import Diagnostic


def _nothing(found: Scan) -> Iterable[Diagnostic]:
    return ()


class Operands(NamedTuple):
    """The words of a command that are no flags.

    Attributes:
        example: What to write, as the hint of the error that reports that there are none.
        last: The words after the first belong to it, whether they are flags or not.
        required: Whether it needs at least one.
    """

    example: str
    last: bool = False
    required: bool = True


class Command(NamedTuple):
    """One command.

    Attributes:
        name: As it is called: `run`; its module is called so too. Two words are one name: `cache ls`, `cache_ls`.
        summary: One line for the list of commands; no capital, no full stop.
        usage: What follows the name: `[options] FILE...`.
        main: Called with what was scanned once nothing is wrong with it; returns the exit code.
        flags: By the title of their section on the help page. `--help` is added to the first.
        prose: The page's text; without one it is the summary.
        closing: The last lines of the page.
        operands: None for a command that takes flags only.
        exclusive: Pairs of flags that exclude each other.
        check: Finds what else is wrong with the flags.
    """

    name: str
    summary: str
    usage: str
    main: Callable[[Scan], int]
    flags: Mapping[str, Sequence[Flag]]
    prose: str = ""
    closing: str = ""
    operands: Operands | None = None
    exclusive: Sequence[tuple[str, str]] = ()
    check: Callable[[Scan], Iterable[Diagnostic]] = _nothing

    @property
    def all_flags(self) -> list[Flag]:
        """Every flag that it takes."""
        return [HELP, *(flag for section in self.flags.values() for flag in section)]


HELP = Flag("help", letter="h", help="show this page")


def run(command: Command, argv: Sequence[str]) -> int:
    """Run a command with the words that follow its name.

    Raises:
        UsageError: all that is wrong with the words.
    """
    found = scan(argv, command.all_flags, stop=command.operands is not None and command.operands.last)
    if found.on(HELP.name):
        display.out(page(command, min(help_text.COLUMNS, display.columns())))
        return 0
    found.problems += [*_problems(command, found)]
    found.check()
    return command.main(found)


def page(command: Command, columns: int = help_text.COLUMNS) -> str:
    """The help page."""
    sections = {title: [*listed] for title, listed in command.flags.items()} or {"options": []}
    next(iter(sections.values())).append(HELP)
    return help_text.page(
        f"usage: alula {command.name} {command.usage}".rstrip(),
        help_text.prose(command.prose or f"{command.summary[0].upper()}{command.summary[1:]}.", columns),
        *(help_text.flags(title, listed, columns) for title, listed in sections.items()),
        command.closing,
        columns=columns,
    )


def _problems(command: Command, found: Scan) -> Iterable[Diagnostic]:
    for one, other in command.exclusive:
        if found.values.get(one) and found.values.get(other):
            message = f"--{dashed(one)} and --{dashed(other)} exclude each other"
            yield from usage.error(message).diagnostics
    yield from _bad_names(command, found)
    yield from command.check(found)
    if found.problems:
        return  # what a flag that does not exist stands before may be an operand or its value
    if command.operands is None and found.rest:
        yield from usage.error(f"{command.name} takes no arguments, got {found.rest[0]!r}").diagnostics
    if command.operands is not None and command.operands.required and not found.rest:
        yield from usage.error(f"{command.name} what?", command.operands.example).diagnostics


def _bad_names(command: Command, found: Scan) -> Iterator[Diagnostic]:
    """What is wrong with the names that `--project` and `--domain` give."""
    for flag in command.all_flags:
        if flag.name in ("project", "domain") and flag.metavar == "NAME" and flag.name in found.values:
            from alula import settings

            for name in found.values[flag.name]:
                yield from settings.name_problems(flag.name, str(name), f"--{flag.name}")
