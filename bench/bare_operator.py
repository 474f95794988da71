"""The floor of a controller made with kopf: it watches the same definitions and does nothing. `bench.controller` starts
it as a process.
"""

from __future__ import annotations

import asyncio

import kopf

from alula_controller import edge
from alula_controller.cluster import resources


def main() -> None:
    """Watch until killed."""
    registry = kopf.get_default_registry()
    for kind in resources.DEFINITIONS:
        kopf.on.event(kind.group, kind.version, kind.plural, registry=registry, id=kind.plural)(_nothing)
    asyncio.run(kopf.operator(registry=registry, settings=edge.settings(), standalone=True, clusterwide=True))


async def _nothing(**_: object) -> None:
    pass


if __name__ == "__main__":
    main()
