r"""A map in batches in Argo's terms: an item of its DAG is a batch, whose pod gets its items and publishes theirs.

Called by `maps`. A list that travels in batches says how long it is and how long these are, and the engine hands each
pod the batches in which its items lie (`alula_api.contract.lists`), so lists of other batches, and such as have none,
can be gone over as well. Where a workflow has a map in batches, all its maps read lists in this way.
"""

from __future__ import annotations

from alula_api.contract import lists, names
from alula_api.contract.graphs.calls import MapCall
from alula_api.contract.references import STORED

TOO_LONG = " items, and the map takes at most {}"
_OPEN, _CLOSE = r"\u007b", r"\u007d"
"""Braces in a literal inside a tag, which they would end."""

SUCCESSES = (
    f"tasks['{names.ATTEMPT}']?.status == 'Succeeded' ? "
    f"(tasks['{names.ATTEMPT}']?.outputs?.parameters?.['{names.SUCCEEDED}'] ?? '0') : '0'"
)
"""How many items of a batch succeeded."""


def count(call: MapCall) -> str:
    """Return how many batches there are, or items of a map without; for lists that cannot be gone over, what is no
    number, and says so."""
    size = _size(call, "#[0]")
    found = f"#[0] <= {_most(call)} ? string(int((#[0] + {size} - 1) / {size})) : {_too_long(call)}"
    if call.needed(0):
        found = f"#[0] == 0 ? '{lists.TOO_FEW.format(0, 0, call.needed(0))}' : {found}"
    for index in range(1, len(call.over)):
        found = f"#[0] == #[{index}] ? ({found}) : {_unequal(call.over)}"
    counts = ", ".join(map(_length, call.over))
    return f"{{{{=map([[{counts}]], {found})[0]}}}}"


def _most(call: MapCall) -> int:
    """How many items the map takes."""
    if call.batch == lists.AUTO:
        return lists.MAX_BATCHED
    return min(lists.MAX_BATCHED, (call.batch or 1) * lists.MAX_ITEMS)


def _too_long(call: MapCall) -> str:
    return f"'{call.over[0]} has ' + string(#[0]) + '{TOO_LONG.format(_most(call))}'"


def _unequal(over: tuple[str, ...]) -> str:
    told = " + ' and ".join(f"{port} has ' + string(#[{index}])" for index, port in enumerate(over))
    return f"'{over[0]} {lists.UNEQUAL}{told}"


def own(call: MapCall, port: str) -> str:
    """Return what the pod of a batch gets of a list: its items, in the batches in which they lie.

    The engine knows no variables, so each step goes over a list of one, with what is known as its item: the list, then
    also its length, then also the size of a batch, then the list, its first item, the one after its last, and the size
    of the batches in which it travels.
    """
    steps = (
        f"[#, {_COUNT.format('#')}]",
        f"[#[0], #[1], {_size(call, '#[1]')}]",
        "[#[0], asInt(item) * #[2], min(asInt(item) * #[2] + #[2], #[1]), int(#[0]['size'] ?? 1)]",
        _written(
            f"(#[0]['{lists.BATCHES}'] == nil ? '{lists.ITEMS}' : '{lists.BATCHES}')",
            f"toJson((#[0]['{lists.BATCHES}'] ?? #[0]['{lists.ITEMS}'])"
            "[int(#[1] / #[3]):int((#[2] + #[3] - 1) / #[3])])",
            ("#[3]", "#[1]", "#[2] - #[1]"),
        ),
    )
    found = f"[{_list(port)}]"
    for step in steps:
        found = f"map({found}, {step})"
    return f"{{{{={found}[0]}}}}"


def joined(call: MapCall, output: str) -> str:
    """Return the list that the batches make together, an expression for an output."""
    published = f"(tasks['{names.ITEM}']?.outputs?.parameters?.['{names.item_parameter(output)}'] ?? '[]')"
    text = _written(f"'{lists.BATCHES}'", published, (_size(call, "#"), "0", "#"))
    return f"map([{_length(call.over[0])}], {text})[0]"


def length(call: MapCall) -> str:
    """Return how many items there are, a term."""
    return _length(call.over[0])


_COUNT = f"int({{0}}['count'] ?? len({{0}}['{lists.ITEMS}']))"


def _list(port: str) -> str:
    return f"fromJSON(inputs.parameters['{port}'])['{STORED}']"


def _length(port: str) -> str:
    return f"map([{_list(port)}], {_COUNT.format('#')})[0]"


def _size(call: MapCall, length: str) -> str:
    """The number of items of a batch, for lists of a length."""
    if call.batch != lists.AUTO:
        return str(call.batch or 1)
    steps = "".join(f"{length} <= {size * lists.MAX_AUTO} ? {size} : " for size in lists.SIZES[:-1])
    return f"({steps}{lists.SIZES[-1]})"


def _written(kind: str, batches: str, numbers: tuple[str, str, str]) -> str:
    """A list in batches as it travels, with its size, start and count."""
    begin = f"'{_OPEN}\"{STORED}\":{_OPEN}\"' + {kind} + '\":'"
    told = " + ".join(
        f"',\"{name}\":' + string({each})" for name, each in zip(("size", "start", "count"), numbers, strict=True)
    )
    return f"{begin} + {batches} + {told} + '{_CLOSE}{_CLOSE}'"
