"""Flags on a command line: `--name VALUE`, `--name=VALUE`, `--switch`, `--no-switch`, `-n VALUE`.

Used by every command for its options and by `alula run` for a workflow's inputs. All problems are collected. Which text
a value may be is not decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from alula.cli import usage
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic


class Flag(NamedTuple):
    """One flag.

    Attributes:
        name: Without the dashes: `workers`. Underscores and dashes are the same.
        metavar: What a value is called in the help; "" for a switch, which takes none.
        help: One or a few sentences.
        default: The default as the help shows it.
        letter: A short form: `q` for `-q`.
        negatable: Whether `--no-NAME` exists, and a switch may be followed by `true` or `false`.
        many: Whether it may be given more than once.
        required: Whether the help calls it required; that it is there is not checked here.
        choices: The values that it may have; any where there are none.
    """

    name: str
    metavar: str = ""
    help: str = ""
    default: str = ""
    letter: str = ""
    negatable: bool = False
    many: bool = False
    required: bool = False
    choices: Sequence[str] = ()


Given = str | bool


class Scan:
    """What was found: the values of each flag in order, what is no flag, and what is wrong.

    Attributes:
        before: The flag that stands before each word of the rest, or "".
    """

    def __init__(self) -> None:
        self.values: dict[str, list[Given]] = {}
        self.rest: list[str] = []
        self.before: list[str] = []
        self.problems: list[Diagnostic] = []

    def on(self, name: str) -> bool:
        """Whether a switch was given."""
        return bool(self.values.get(name, [False])[-1])

    def text(self, name: str, default: str = "") -> str:
        """The value of a flag that takes one."""
        found = self.values.get(name)
        return str(found[-1]) if found else default

    def check(self) -> None:
        """Raise what is wrong, if anything is."""
        if self.problems:
            raise usage.UsageError(self.problems)


def scan(
    argv: Sequence[str],
    flags: Iterable[Flag],
    *,
    stop: bool = False,
    unknown: Code = Code.BAD_OPTION,
    also: Callable[[str], Flag | None] = lambda name: None,
) -> Scan:
    """Read `argv`.

    Args:
        argv: The words.
        flags: The flags that exist.
        stop: End at the first word that is no flag; it and all that follow are the rest.
        unknown: The code of a flag that does not exist.
        also: Finds flags that are not listed, such as `forest.trees`.
    """
    return _Scanner(flags, unknown, also).scan(argv, stop)


class _Scanner:
    def __init__(self, flags: Iterable[Flag], unknown: Code, also: Callable[[str], Flag | None]) -> None:
        self.flags: dict[str, Flag] = {}
        self.negations: dict[str, Flag] = {}
        self.letters: dict[str, Flag] = {}
        for flag in flags:
            self.flags[_same(flag.name)] = flag
            if flag.negatable:
                self.negations[_same(f"no-{flag.name}")] = flag
            if flag.letter:
                self.letters[flag.letter] = flag
        self.unknown = unknown
        self.also = also
        self.found = Scan()
        self.last = ""

    def scan(self, argv: Sequence[str], stop: bool) -> Scan:
        words = [*argv]
        words.reverse()
        while words:
            word = words.pop()
            if word == "--":
                self.found.rest += reversed(words)
                break
            if word.startswith("--"):
                self.long(word, words)
            elif word.startswith("-") and len(word) > 1 and word[1] in self.letters:
                self.short(word, words)
            elif word.startswith("-") and len(word) > 1 and not word[1:2].isdigit():
                self.problem(self.unknown, f"there is no flag {word}", usage.did_you_mean(f"-{word}", self.names()))
            elif stop:
                self.found.rest += [word, *reversed(words)]
                break
            else:
                self.found.rest.append(word)
                self.found.before.append(self.last)
        return self.found

    def long(self, word: str, words: list[str]) -> None:
        name, equals, text = word[2:].partition("=")
        flag = self.flags.get(_same(name)) or self.also(name)
        if flag is None and (negated := self.negated(name)) is not None:
            if equals:
                self.problem(Code.BAD_OPTION, f"--{name} takes no value")
            self.add(negated, False)
            return
        if flag is None:
            self.problem(self.unknown, f"there is no flag --{name}", usage.did_you_mean(f"--{name}", self.names()))
            if not equals and words and not words[-1].startswith("-"):
                words.pop()  # most likely its value, which would be another error
            return
        self.value(flag, f"--{name}", text if equals else None, words)

    def negated(self, name: str) -> Flag | None:
        """The flag that `--no-NAME` turns off."""
        found = self.negations.get(_same(name))
        if found is None and _same(name).startswith("no-"):
            found = self.also(name[3:])
        return found if found is not None and found.negatable else None

    def short(self, word: str, words: list[str]) -> None:
        flag = self.letters[word[1]]
        if not flag.metavar and len(word) > 2:
            words.append("-" + word[2:])
            word = word[:2]
        self.value(flag, word[:2], word[2:] or None, words)

    def value(self, flag: Flag, word: str, text: str | None, words: list[str]) -> None:
        if not flag.metavar:
            if text is None and flag.negatable and words and words[-1].lower() in {"true", "false"}:
                text = words.pop()
            if text is None:
                self.add(flag, True)
            elif text.lower() in {"true", "false"} and flag.negatable:
                self.add(flag, text.lower() == "true")
            else:
                hint = f"write {word} or --no-{word[2:]}" if flag.negatable else f"write {word} alone"
                self.problem(Code.BAD_OPTION, f"{word} takes no value, got {text!r}", hint)
            return
        if text is None:
            if not words or (words[-1].startswith("--") and self.exists(words[-1])):
                self.problem(Code.BAD_OPTION, f"{word} needs a value", f"write {word} {flag.metavar}")
                return
            text = words.pop()
        if flag.choices and text not in flag.choices:
            self.problem(Code.BAD_OPTION, f"{word} cannot be {text!r}", f"write {' or '.join(flag.choices)}")
        self.add(flag, text)

    def exists(self, word: str) -> bool:
        name = _same(word[2:].partition("=")[0])
        return name in self.flags or name in self.negations or word == "--"

    def add(self, flag: Flag, value: Given) -> None:
        self.last = flag.name
        values = self.found.values.setdefault(flag.name, [])
        if values and not flag.many and flag.metavar:
            self.problem(Code.BAD_OPTION, f"--{dashed(flag.name)} is given twice", "drop one of them")
        values.append(value)

    def names(self) -> list[str]:
        listed = [f"--{dashed(flag.name)}" for flag in self.flags.values()]
        return listed + [f"--no-{dashed(flag.name)}" for flag in self.negations.values()]

    def problem(self, code: Code, message: str, hint: str = "") -> None:
        self.found.problems.append(Diagnostic(code, message, hint=hint))


def dashed(name: str) -> str:
    """A flag's name as the help writes it."""
    return name.replace("_", "-")


def _same(name: str) -> str:
    return name.replace("_", "-")
