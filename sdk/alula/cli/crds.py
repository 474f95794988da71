"""`alula crds`: the CustomResourceDefinitions, made from the models, so that no YAML ships in the wheel."""

from __future__ import annotations

from alula import display
from alula.cli import flags
from alula.cli.command import Command


def main(found: flags.Scan) -> int:
    """Print them as one YAML stream, for `kubectl apply --server-side -f -`."""
    from alula_api.kinds import generate

    display.out(generate.crd_text())
    return 0


COMMAND = Command(
    name="crds",
    summary="print the CustomResourceDefinitions of alula",
    usage="| kubectl apply --server-side -f -",
    main=main,
    flags={},
)
