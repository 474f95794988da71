"""The outputs of a run as its object holds them, where a workflow returns a part of a value or a list of single ones.

Argo can neither select in a value nor hold a list of values that may lie in the store without changing their bytes. So
a part is published as the whole value, a list as the list of its whole items, and beside each a parameter
`<output>--path` says what is meant: the path of the part, or one path for each item. Written by the compiler, read by
`alula run --remote`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from alula_api.contract import jsontext, names, references
from alula_api.contract.graphs.bindings import Binding, Items, path_of
from alula_api.contract.jsontext import Json
from alula_api.contract.problems import InvalidValue, Problem

Load = Callable[[Json], Json]
"""Gets the value behind an envelope from the store; anything else comes back as it is."""


def paths(binding: Binding) -> Json:
    """Return what the parameter beside an output says; None for an output that is a whole value."""
    if isinstance(binding, Items):
        return [list(leaf.path) for leaf in binding.leaves]
    return list(path_of(binding)) or None


def assembled(name: str, parameters: Mapping[str, str], load: Load) -> Json:
    """Return the value of an output; an envelope that cannot be loaded stays one, and is not selected in.

    Args:
        name: The output's.
        parameters: The texts of the run's output parameters.
        load: Gets what lies in the store.

    Raises:
        InvalidValue: A text is not JSON, or a path leads nowhere.
    """
    value = jsontext.parse(parameters[name])
    beside = names.path_parameter(name)
    if beside not in parameters:
        return load(value)
    meant = jsontext.parse(parameters[beside])
    if not isinstance(meant, list):
        raise InvalidValue([Problem("$", f"{beside} must be a list")])
    if not all(isinstance(path, list) for path in meant):
        return _behind(load(value), meant)
    if not isinstance(value, list) or len(value) != len(meant):
        raise InvalidValue([Problem("$", f"must be a list of {len(meant)} items")])
    return [_behind(load(item), path) for item, path in zip(value, meant, strict=True)]


def _behind(value: Json, path: Json) -> Json:
    assert isinstance(path, list)
    return value if references.is_envelope(value) else jsontext.select(value, map(str, path))
