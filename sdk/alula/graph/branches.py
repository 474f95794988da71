"""A conditional while its workflow is traced: which calls belong to which branch, and the node that comes of it.

`open` and `close` are called by `alula.declare.conditionals` around the writing of a branch, `result` after the last
one, and `end` where the graph around it is complete. Between `open` and `close` the tracer records into the branch, as
Python evaluates what stands in `.then(...)` only after `.if_(...)` was called.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from alula import errors
from alula.code import places
from alula.graph import bodies, comparisons, nodes, scopes, several_outputs, unfinished
from alula.graph.promises import NOTHING, UNKNOWN, Edge, Promise, inside
from alula.types.mismatches import Mismatch, kind
from alula_api.contract import families, schemas, values
from alula_api.contract.codes import Code
from alula_api.contract.graphs import bindings, conditions, interfaces
from alula_api.contract.graphs.bindings import Constant, FromNode, Leaf
from alula_api.contract.graphs.calls import ELSE, BranchCall, Case, GraphCall
from alula_api.contract.graphs.conditions import Condition as Tree
from alula_api.contract.graphs.interfaces import NULL

if TYPE_CHECKING:
    from alula.graph.tracer import Tracer
    from alula_api.contract.schemas import Schema


NEVER: Schema = {"enum": []}
"""The type of what a branch gives that ends in a failure: it fits whatever the others give."""


class _Value(NamedTuple):
    """An output of a branch."""

    leaf: Leaf
    schema: Schema
    shown: str


class _Branch(NamedTuple):
    name: str
    condition: comparisons.Condition | None
    scope: scopes.Scope
    results: tuple[_Value, ...]
    source: str

    @property
    def fails(self) -> bool:
        """Whether it cannot end but in a failure."""
        return len(self.results) == 1 and self.results[0].schema == NEVER

    def given(self, count: int) -> tuple[_Value, ...]:
        """Its outputs, of which a conditional has `count`."""
        return self.results * count if self.fails else self.results


class Conditional:
    """A conditional that is being written.

    Args:
        tracer: Of the workflow.
        name: That the author gave it.
        place: Where it is written.
    """

    def __init__(self, tracer: Tracer, name: str, place: places.Call) -> None:
        self._tracer, self._place = tracer, place
        self._home = tracer.scopes[-1]
        if not tracer.takes(name, "conditional", place):
            name = self._home.ids.allocate("conditional")
        self.id = self._home.prefix + name
        self.subject = f"conditional {name}"
        self._branches: list[_Branch] = []
        self._open: tuple[str, comparisons.Condition | None, scopes.Scope] | None = None
        self._shape: Any = None
        self._draft: nodes.Draft | None = None
        self._home.composites.append(self)

    @property
    def promise(self) -> Promise:
        """What stands for the conditional where only its end counts, as in `>>`."""
        return Promise(Edge(self._tracer.trace, None, NULL, self.id, f"the result of {self.subject}"))

    @property
    def is_void(self) -> bool:
        """Whether its branches, as far as they are written, give nothing."""
        return all(branch.fails or [each.schema for each in branch.results] == [NULL] for branch in self._branches)

    def open(self, condition: object = None, *, first: bool = False, last: bool = False) -> None:
        """Begin a branch: what is called from now on belongs to it."""
        trace = self._tracer.trace
        self._close_forgotten()
        hint = "write its branches in one chain: .if_(...).then(...).elif_(...).then(...).else_().then(...)"
        if any(branch.condition is None for branch in self._branches):
            message = f"{self.subject} has its last branch already: no other one follows .else_() or .or_none()"
            trace.problem(Code.NOT_A_TASK, message, trace.here(), hint=hint)
        elif first and self._branches:
            message = f"{self.subject} has an .if_(...) already"
            trace.problem(Code.NOT_A_TASK, message, trace.here(), hint=hint)
        name = ELSE if last else "then" if not self._branches else f"elif-{len(self._branches)}"
        found = None if last else comparisons.condition(condition, trace, self.subject)
        scope = scopes.Scope(f"{self.id}/{name}/")
        self._open = (name, found, scope)
        self._tracer.scopes.append(scope)
        trace.inside.append(scope.prefix)

    def close(self, result: object) -> None:
        """End a branch, which gives `result`."""
        trace = self._tracer.trace
        if self._open is None or self._tracer.scopes[-1] is not self._open[2]:
            message = f"a branch of {self.subject} ends with .then(...), and another one was begun inside and not ended"
            trace.problem(Code.NOT_A_TASK, message, trace.here(), hint="write .then(...) right behind .if_(...)")
            self._close_forgotten()
            return
        name, condition, scope = self._open
        for composite in scope.composites:
            composite.end()
        results = self._results(name, result)
        self._branches.append(_Branch(name, condition, scope, results, trace.here()))
        self._leave()

    def none(self) -> None:
        """The last branch: nothing happens, and every output is None."""
        self.open(last=True)
        name, condition, scope = self._open or ("", None, self._home)
        count = next((len(branch.results) for branch in self._branches if not branch.fails), 1)
        nothing = tuple(_Value(Constant("null"), NULL, "None") for _ in range(count))
        self._branches.append(_Branch(name, condition, scope, nothing, self._tracer.trace.here()))
        self._leave()

    def result(self) -> Any:
        """End the conditional; return promises of what its branches give."""
        draft = self._finished()
        trace, label = self._tracer.trace, f"the result of {self.subject}"
        if not draft.outputs:
            return self.promise
        made = [
            Promise(Edge(trace, FromNode(draft.id, name), schema, draft.id, label))
            for name, schema in draft.outputs.items()
        ]
        if self._shape is None:
            return made[0]
        return several_outputs.refusing(self._shape._make(made) if hasattr(self._shape, "_make") else tuple(made))

    def end(self) -> None:
        """All that belongs to the graph of this node is written."""
        self._close_forgotten()
        if self._draft is None and self._branches:
            self._finished()
        elif not self._branches and not self._tracer.trace.problems:
            trace = self._tracer.trace
            message = f"{self.subject} has no branch, so that it decides nothing"
            hint = "write .if_(...).then(...) right behind it, or leave it out"
            trace.problem(Code.NOT_A_TASK, message, trace.place(self._place), hint=hint)

    def _close_forgotten(self) -> None:
        if self._open is None:
            return
        trace = self._tracer.trace
        message = f"{self.subject} has an .if_(...), .elif_(...) or .else_() without .then(...)"
        hint = "write .then(...) right behind it, with the calls of the branch inside"
        trace.problem(Code.NOT_A_TASK, message, trace.place(self._place), hint=hint)
        self._leave()

    def _leave(self) -> None:
        assert self._open is not None
        scope = self._open[2]
        self._open = None
        while scope in self._tracer.scopes:
            self._tracer.scopes.pop()
        self._tracer.trace.inside.remove(scope.prefix)

    def refusal(self, value: object) -> errors.DefinitionError:
        """What ends the trace at an unfinished conditional, `value`, that is used as a value."""
        trace = self._tracer.trace
        what, hint = value._alula_unfinished  # type: ignore[attr-defined]
        message = f"{what} stands where its result is needed"
        trace.problem(Code.NOT_A_TASK, message, trace.here(), hint=hint)
        return errors.DefinitionError(trace.problems[-1:])

    def misplaced(self, name: str, instead: str) -> NoReturn:
        """End the trace where the author goes on with what cannot follow."""
        trace = self._tracer.trace
        message = f"{self.subject} has no .{name} at this place"
        trace.problem(Code.NOT_A_TASK, message, trace.here(), hint=instead)
        raise errors.DefinitionError(trace.problems[-1:])

    # What the branches give

    def _results(self, name: str, result: object) -> tuple[_Value, ...]:
        several = isinstance(result, tuple)
        listed = result if isinstance(result, tuple) else (result,)
        if several and self._shape is None:
            self._shape = type(result)
        return tuple(self._value(each, f"{self.subject}, {name}") for each in listed)

    def _value(self, value: object, where: str) -> _Value:
        trace = self._tracer.trace
        if unfinished.is_void(value):
            value = value._alula_ordered  # type: ignore[attr-defined]
        if type(value) is Promise:
            edge = value._alula_edge
            if edge.trace is not trace or not trace.sees(edge.node):
                hint = "pass it to this workflow as an input, or return it from the branch that makes it"
                trace.problem(
                    Code.NOT_A_TASK, f"{edge.label} cannot be read here", trace.here(), subject=where, hint=hint
                )
                return _Value(NOTHING, UNKNOWN, edge.label)
            if edge.binding is None:
                return _Value(Constant("null"), NULL, "None")
            return _Value(edge.binding, edge.schema, edge.label)
        if value is None:
            return _Value(Constant("null"), NULL, "None")
        return self._constant(value, where)

    def _constant(self, value: object, where: str) -> _Value:
        from alula.interfaces import encode
        from alula.types import compiling, scalars
        from alula.types.carriers import REFUSAL
        from alula.types.unsupported import Unsupported

        trace = self._tracer.trace
        if wrong := unfinished.problem(value):
            trace.problem(Code.NOT_A_TASK, wrong[0], trace.here(), subject=where, hint=wrong[1])
            return _Value(NOTHING, UNKNOWN, "")
        buried = inside(value)
        if buried is not None:
            message = f"{buried._alula_edge.label} stands inside a {type(value).__name__}"
            hint = "build it in a task that takes the parts, and give its result"
            trace.problem(Code.NOT_A_TASK, message, trace.here(), subject=where, hint=hint)
            return _Value(NOTHING, UNKNOWN, "")
        try:
            value = scalars.lowered(value)
            target = compiling.compile(compiling.annotation(value))
            return _Value(Constant(encode.to_text(target, value, REFUSAL)), target.schema, kind(value))
        except (Mismatch, TypeError, Unsupported) as error:
            message = f"a branch cannot give {kind(value)} as it is"
            hint = "let a task make it"
            if isinstance(error, Mismatch):
                message, hint = f"{message}: {error}", error.flaws[0].hint or hint
            trace.problem(Code.BAD_VALUE, message, trace.here(), subject=where, hint=hint)
            return _Value(NOTHING, UNKNOWN, "")

    # The node

    def _finished(self) -> nodes.Draft:
        """The node: its call, what its branches read, and its outputs."""
        if all(branch.fails and branch.condition is not None for branch in self._branches):
            self.none()  # a check: what waits for it runs where none of its conditions holds
        home = self._home
        ports = bodies.Ports()
        types = self._outputs()
        reads: dict[str, Schema] = {}
        cases: list[Case] = []
        otherwise: GraphCall | None = None
        called: list[bodies.Body] = []
        given: dict[str, Leaf] = {}
        for branch in self._branches:
            body = self._body(branch, ports, types)
            called.append(body)
            given |= body.reads
            if branch.condition is None:
                otherwise = GraphCall(body.name)
            elif branch.condition.tree is not None:
                when, operands = _named(branch.condition, ports)
                reads |= {name: edge.schema for name, edge in operands.items()}
                given |= {name: edge.binding for name, edge in operands.items() if edge.binding is not None}
                cases.append(Case(branch.name, when, GraphCall(body.name).graph))
        call = BranchCall(tuple(cases), otherwise, tuple(reads.items()))
        draft = nodes.Draft(len(home.drafts), self.id, call, tuple(called), self._place, subject=self.subject)
        draft.bindings |= given
        draft.outputs = types
        self._draft = home.drafts[self.id] = draft
        return draft

    def _body(self, branch: _Branch, ports: bodies.Ports, types: Mapping[str, Schema]) -> bodies.Body:
        trace = self._tracer.trace
        lifting = bodies.Lifting(branch.scope.prefix, ports)
        inner = branch.scope.nodes(trace, lifting) or ()
        results = dict(zip(types, branch.given(len(types)), strict=False))
        if branch.fails:
            types = dict.fromkeys(types, NEVER)
        outputs = tuple((name, lifting.leaf(_normal(results[name], types[name]))) for name in types if name in results)
        name = bodies.name(self._tracer.workflow.name, *self.id.split("/"), branch.name)
        graph = nodes.Graph(
            name=name,
            inputs=bodies.inputs({port: self._tracer.type_of(leaf) for port, leaf in lifting.reads.items()}),
            outputs=outputs,
            nodes=inner,
            source=trace.source(self._place),
            output_types=bodies.outputs(types),
        )
        return bodies.Body(name, f"{trace.subject}, {self.subject}, {branch.name}", graph.source, lifting.reads, graph)

    def _outputs(self) -> dict[str, Schema]:
        """The outputs with the type that all branches give; a problem where there is none."""
        ending = [branch for branch in self._branches if not branch.fails]
        counts = {len(branch.results) for branch in ending}
        if counts <= {1} and all(branch.results[0].schema is NULL for branch in ending):
            return {}  # nothing but None
        if len(counts) > 1:
            told = ", ".join(f"{branch.name} gives {len(branch.results) or 'no'} values" for branch in ending)
            self._problem(f"the branches of {self.subject} give different numbers of values: {told}", "")
            return {}
        fields = getattr(self._shape, "_fields", None)
        names = fields or [f"o{index}" for index in range(max(counts, default=0))]
        return {name: self._common(ending, index) for index, name in enumerate(names)}

    def _common(self, ending: list[_Branch], index: int) -> Schema:
        found = [branch.results[index] for branch in ending]
        known = [each for each in found if each.schema is not NULL and each.schema is not UNKNOWN]
        if not known:
            return UNKNOWN if any(each.schema is UNKNOWN for each in found) else NULL
        known.sort(key=lambda each: isinstance(each.leaf, Constant))
        fitting = (one.schema for one in known if all(_fits(each, one.schema) for each in known))
        whole = next(fitting, None)
        if whole is None:
            told = ", ".join(
                f"{branch.name} gives {schemas.describe(each.schema)}"
                for branch, each in zip(ending, found, strict=True)
            )
            self._problem(f"the branches of {self.subject} give different types: {told}", "give one type in all")
            return UNKNOWN
        may_be_none = any(each.schema is NULL for each in found) and schemas.assignable(NULL, whole) is not None
        return interfaces.or_none(whole) if may_be_none else whole

    def _problem(self, message: str, hint: str) -> None:
        trace = self._tracer.trace
        trace.problem(Code.EDGE_TYPE, message, trace.place(self._place), hint=hint)


def _fits(value: _Value, schema: Schema) -> bool:
    """Whether a value is one of a type; a constant that a Literal has is one of it."""
    if isinstance(value.leaf, Constant) and families.family(schema) == "literal":
        return value.leaf.json in schema["enum"]
    return schemas.assignable(value.schema, schema) is None


def _normal(value: _Value, schema: Schema) -> Leaf:
    """A constant in the wire form of the type that all branches give."""
    if not isinstance(value.leaf, Constant) or UNKNOWN in (value.schema, schema):
        return value.leaf
    return Constant(values.codec(schema).wire(value.leaf.json))


def _named(condition: comparisons.Condition, ports: bodies.Ports) -> tuple[Tree, dict[str, Edge]]:
    """A condition over the inputs of its node, and what those are."""
    assert condition.tree is not None
    names: dict[str, str] = {}
    for key, edge in condition.operands.items():
        assert isinstance(edge.binding, bindings.FromInput | bindings.FromNode)
        names[key] = ports.name(edge.binding)
    found = conditions.renamed(condition.tree, names.__getitem__)
    used = set(conditions.reads(found))
    return found, {names[key]: edge for key, edge in condition.operands.items() if names[key] in used}
