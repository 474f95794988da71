"""`alula crds`: the CustomResourceDefinitions, made from the models, so that no YAML ships in the wheel."""

from __future__ import annotations

from collections.abc import Sequence

from alula import display
from alula.cli import flags, help_text, usage

SUMMARY = "print the CustomResourceDefinitions of alula"

FLAGS = (flags.Flag("help", letter="h", help="show this page"),)


def main(argv: Sequence[str]) -> int:
    """Print them as one YAML stream, for `kubectl apply --server-side -f -`."""
    found = flags.scan(argv, FLAGS)
    if found.on("help"):
        usage_line = "usage: alula crds | kubectl apply --server-side -f -"
        display.out(
            help_text.page(usage_line, f"{SUMMARY[0].upper()}{SUMMARY[1:]}.", help_text.flags("options", FLAGS))
        )
        return 0
    if found.rest:
        found.problems += usage.error(f"crds takes no arguments, got {found.rest[0]!r}").diagnostics
    found.check()
    from alula_api.kinds import generate

    display.out(generate.crd_text())
    return 0
