"""Promises: what tasks return while a workflow is traced. They are passed on, ordered and compared, and hold no value.

A promise of a record, dict, list or tuple gives promises of its parts (`p.field`, `p["key"]`, `p[0]`). Everything else
that Python can do with a value ends in an error that says what to write instead. What a promise knows lies in one slot,
whose name no field has. Comparisons, `&`, `|` and `~` come from `comparisons`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from alula import errors
from alula.code import places
from alula.graph import parts, unfinished
from alula.types.mismatches import kind
from alula_api.contract import problems, schemas
from alula_api.contract.codes import Code
from alula_api.contract.graphs import bindings
from alula_api.contract.problems import Problem
from alula_api.contract.schemas import Schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alula.graph.trace import Trace
    from alula_api.contract.graphs.bindings import Leaf

UNKNOWN: Schema = {"x-alula-unknown": True}
"""The type of what a wrong call returns: edges from it are not checked, so that one mistake is told once."""

NOTHING = bindings.Constant("null")
"""Stands for a value that was wrong: the graph is never used then."""


class PromiseUsed(errors.DefinitionError):
    """A promise was used as a value; raised inside the user's workflow to end its trace."""


class Edge(NamedTuple):
    """What a promise knows: where its value will come from and of what type it is."""

    trace: Trace
    binding: Leaf | None
    """None for a task without outputs: there is nothing to pass on."""
    schema: Schema
    node: str
    """The node that has to finish first; empty for an input of the workflow."""
    label: str
    """What messages call it: `the result of task load`."""


class Promise:
    """The result of a task, or an input of the workflow, while the workflow is traced."""

    __slots__ = ("_alula_edge",)
    _alula_edge: Edge

    def __init__(self, edge: Edge) -> None:
        object.__setattr__(self, "_alula_edge", edge)

    def __getattr__(self, name: str) -> Promise:
        if name.startswith(("__", "_repr_", "_ipython_")):
            raise AttributeError(name)  # protocols of Python and Jupyter ask what an object can do
        return part(self, name, attribute=True)

    def __getitem__(self, key: object) -> Promise:
        return part(self, key, attribute=False)

    def __iter__(self) -> Iterator[Promise]:
        length = parts.fixed_length(self._alula_edge.schema)
        if length is None:
            refuse(self, "is iterated over", "write map_task(task)(items) for one call of each item, or loop in a task")
        return iter([self[index] for index in range(length)])

    def __rshift__(self, other: Any) -> Any:
        """`a >> b`: b runs after a."""
        in_order(self._alula_edge.trace, self, other)
        return other

    def __rrshift__(self, other: Any) -> Promise:
        """`[a, b] >> c`."""
        in_order(self._alula_edge.trace, other, self)
        return self

    def __lshift__(self, other: Any) -> Any:
        """`b << a`: b runs after a."""
        in_order(self._alula_edge.trace, other, self)
        return other

    def __repr__(self) -> str:
        return f"<promise of {self._alula_edge.label}>"

    def __setattr__(self, name: str, value: object) -> NoReturn:
        refuse(self, f"gets the attribute {name!r}", "make the changed value in a task")

    def __setitem__(self, key: object, value: object) -> NoReturn:
        refuse(self, f"gets the item {key!r}", "make the changed value in a task")

    def __call__(self, *args: object, **kwargs: object) -> NoReturn:
        """Refused: there is nothing to call yet."""
        refuse(self, "is called", "call it in a task")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        refuse(self, "is pickled or copied", "pass the promise itself on")


def refuse(promise: Promise, what: str, hint: str) -> NoReturn:
    """A promise stands where a value is needed."""
    edge, frame = promise._alula_edge, places.user_frame()
    trace = edge.trace
    helper = "" if frame is None or frame.f_code is places.code(trace.function) else frame.f_code.co_name
    subject = ""
    if helper:
        hint = f"decorate {helper}() with @task, or {hint}"
        subject = f"{helper}(), called {trace.calling(frame)}".removesuffix(", called ")
    message = f"{edge.label} {what}, but a workflow is traced before its tasks run: it has no value yet"
    trace.problem(Code.PROMISE_AS_VALUE, message, trace.here(), subject=subject, hint=hint)
    raise PromiseUsed(trace.problems[-1:])


DECIDES = "decides an `if`, `while`, `and`, `or` or `not`"
IS_MADE_TEXT = "is made into text (an f-string, str() or print)"
INSTEAD_OF_IF = (
    'write conditional("name").if_(...).then(...).else_().then(...), or repeat(step, until=..., max=...) for a loop'
)


def _forbid(operators: dict[str, str], hint: str) -> None:
    for operator, shown in operators.items():

        def method(self: Promise, *_: object, what: str = shown) -> NoReturn:
            refuse(self, what, hint)

        method.__name__ = operator
        setattr(Promise, operator, method)


_forbid(
    {"__bool__": DECIDES},
    f"{INSTEAD_OF_IF}; or decide in a task",
)
_forbid(
    dict.fromkeys(("__str__", "__format__"), IS_MADE_TEXT),
    "build the text in a task and pass it the value",
)
_forbid(
    {"__hash__": "is hashed (the key of a dict, an item of a set, an argument of lru_cache)"},
    "use what is known now as the key, or do this in a task",
)
_forbid(
    {
        "__len__": "is asked for its length",
        "__contains__": "is searched with `in`",
        "__reversed__": "is reversed",
        "__delitem__": "loses an item",
        "__delattr__": "loses an attribute",
        "__int__": "is made into an int",
        "__float__": "is made into a float",
        "__complex__": "is made into a complex",
        "__index__": "is used as an index or count",
        "__bytes__": "is made into bytes",
        "__round__": "is rounded",
        "__abs__": "is made absolute",
        "__fspath__": "is used as a path",
        "__enter__": "is used in `with`",
        "__await__": "is awaited",
        "__next__": "is asked for its next item",
    },
    "do this in a task and pass it the value",
)
_forbid({f"__{name}__": f"is computed with ({sign})" for names, sign in (
    (("add", "radd", "iadd", "pos"), "+"), (("sub", "rsub", "isub", "neg"), "-"), (("mul", "rmul", "imul"), "*"),
    (("truediv", "rtruediv", "itruediv"), "/"), (("floordiv", "rfloordiv", "ifloordiv"), "//"),
    (("mod", "rmod", "imod"), "%"), (("pow", "rpow", "ipow"), "**"), (("matmul", "rmatmul", "imatmul"), "@"),
    (("divmod", "rdivmod"), "divmod"), (("iand",), "&="), (("ior",), "|="),
    (("xor", "rxor", "ixor"), "^"), (("rlshift", "ilshift", "irshift"), "<< or >>"),
) for name in names}, "compute in a task and pass it the value")  # fmt: skip


def inside(value: object, depth: int = 3) -> Promise | None:
    """A promise somewhere in lists, tuples, sets, dicts or objects; for messages only."""
    if type(value) is Promise:
        return value
    if depth == 0:
        return None
    parts: Any = ()
    if isinstance(value, dict):
        parts = [*value.values(), *value]
    elif isinstance(value, (list, tuple, set, frozenset)):
        parts = value
    elif hasattr(value, "__dataclass_fields__") and not isinstance(value, type):
        parts = [getattr(value, name, None) for name in value.__dataclass_fields__]
    return next((found for part in parts if (found := inside(part, depth - 1)) is not None), None)


def shown(value: object) -> str:
    """A value that an option cannot have, for a message."""
    if type(value) is Promise:
        return f"{value._alula_edge.label}, which has no value before the workflow runs"
    return problems.shown(value)


def part(whole: Promise, key: object, *, attribute: bool) -> Promise:
    """`p.field`, `p["key"]` or `p[0]` as a promise of its own."""
    edge = whole._alula_edge
    if edge.schema is UNKNOWN:
        return whole
    if edge.binding is None:
        refuse(whole, "holds nothing that could be taken apart", "annotate what the task returns")
    if attribute and not parts.fields(edge.schema):
        from alula.interfaces import flyte_names

        if instead := flyte_names.METHODS["Promise"].get(str(key)):
            refuse(whole, f"is asked for {key}()", instead)
        what = f"is asked for the attribute {key!r} of its value ({schemas.describe(edge.schema)})"
        refuse(whole, what, "do this in a task and pass it the value")
    if isinstance(key, slice):
        refuse(whole, "is sliced", "take the slice in a task")
    name = parts.segment(edge.schema, key, attribute)
    found = name if isinstance(name, Problem) else parts.part(edge.schema, name)
    shown = f".{key}" if attribute else f"[{key!r}]"
    if isinstance(found, Problem) or isinstance(name, Problem):
        return _no_part(edge, shown, found)
    binding = edge.binding
    if isinstance(binding, bindings.FromNode):
        binding = bindings.FromNode(binding.node, binding.output, (*binding.path, name))
    elif isinstance(binding, bindings.FromInput):
        binding = bindings.FromInput(binding.input, (*binding.path, name))
    return Promise(Edge(edge.trace, binding, found, edge.node, f"{edge.label}{shown}"))


def _no_part(edge: Edge, shown: str, problem: Any) -> Promise:
    reason = problem.message if problem.path == "$" else f"{problem.path[1:]} {problem.message}"
    edge.trace.problem(Code.UNKNOWN_OUTPUT, f"{edge.label} has no part {shown}: {reason}", edge.trace.here())
    return Promise(Edge(edge.trace, NOTHING, UNKNOWN, edge.node, edge.label))


def in_order(trace: Trace, before: object, after: object) -> None:
    """`before >> after`: what makes `after` waits for what makes `before`."""
    first = _makers(trace, before)
    for later in _makers(trace, after):
        for earlier in first:
            name, node = _side_by_side(earlier, later)
            known = trace.after.setdefault(node, [])
            if name != node and name not in known:
                known.append(name)


def _side_by_side(one: str, other: str) -> tuple[str, str]:
    """Two nodes of one graph: in place of a node in a part that the other is not in, the node that has that part."""
    first, second = one.split("/"), other.split("/")
    level = 0
    while level + 2 < min(len(first), len(second)) and first[: level + 2] == second[: level + 2]:
        level += 2
    return "/".join(first[: level + 1]), "/".join(second[: level + 1])


def _makers(trace: Trace, value: object) -> list[str]:
    """The nodes behind one promise, or behind tuples and lists of them; for `a >> b`."""
    nodes: list[str] = []
    pending = [value]
    while pending:
        item = pending.pop()
        if type(item) is not Promise:
            item = getattr(item, "_alula_ordered", item)
        if isinstance(item, (list, tuple)):
            pending.extend(reversed(item))
        elif type(item) is not Promise or item._alula_edge.trace is not trace:
            known = unfinished.begun(item)
            what, hint = known or (kind(item), "write a >> b with the results of two tasks of this workflow")
            trace.problem(Code.NOT_A_TASK, f"`>>` orders tasks, got {what}", trace.here(), hint=hint)
        elif not item._alula_edge.node:
            message = f"`>>` orders tasks, got {item._alula_edge.label}"
            hint = "it is there from the beginning: leave the order out"
            trace.problem(Code.NOT_A_TASK, message, trace.here(), hint=hint)
        elif item._alula_edge.node not in nodes:
            nodes.append(item._alula_edge.node)
    return nodes
