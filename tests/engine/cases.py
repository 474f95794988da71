"""The outcome that each workflow of the project must have, whichever way it is run.

A case has the workflow, its inputs and outputs, the nodes that did not run, and of a failure the words of its message.
"""

from __future__ import annotations

import pathlib
from dataclasses import dataclass
from typing import Any

PROJECT = pathlib.Path(__file__).parent / "project"


@dataclass(frozen=True)
class Case:
    """One run.

    Attributes:
        construct: What it shows, a line of the table.
        workflow: In the project, as `branches.py:chosen`.
        inputs: As JSON.
        outputs: As JSON; None for a run that fails.
        absent: Tasks that must not run, by the path of their node.
        message: In what a failed run says.
        done: Tasks that must have succeeded, although the run failed.
        failed: Tasks that must have failed.
    """

    construct: str
    workflow: str
    inputs: dict[str, Any]
    outputs: dict[str, Any] | None
    absent: tuple[str, ...] = ()
    message: str = ""
    done: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """For people, and for the run."""
        given = "-".join(str(value) for value in self.inputs.values())
        return f"{self.workflow.partition(':')[2]}-{given}"


def _branch(construct: str, name: str, n: int, outputs: Any, *absent: str, message: str = "") -> Case:
    found = outputs if outputs is None or isinstance(outputs, dict) else {"o0": outputs}
    return Case(construct, f"branches.py:{name}", {"n": n}, found, absent, message)


def _map(construct: str, name: str, n: int, outputs: Any, *absent: str, message: str = "") -> Case:
    found = outputs if outputs is None or isinstance(outputs, dict) else {"o0": outputs}
    return Case(construct, f"maps.py:{name}", {"n": n}, found, absent, message)


_SHORT = ["{{=1+1}}", "{{workflow.uid}}", "é '\" \\ <&>", "null", "[1, 2]", "=x", "@x", ""]
_HOSTILE = [*_SHORT, *(text * 40 for text in _SHORT[:4])]

MAPS = (
    _map("over a task's list", "doubled", 3, {"o0": 15, "o1": [0, 2, 4]}),
    _map("over an empty list", "doubled", 0, {"o0": 0, "o1": []}),
    _map("over a list in the workflow, with a bound input", "given", 4, [6, 8, 10]),
    _map("over an input", "inputs", 1, [11, 13, 15]),
    _map("over single results", "single", 3, [12, 14, 6]),
    _map("over single results, of which one lies in the store", "long", 2000, 6003),
    _map("over a list of maps' lists, of values in the store", "deep", 30, [17184, 93]),
    _map("over a list of lists, which maps made or tasks", "lists", 3, [6, 3, 0]),
    _map("over the results of a map", "twice", 3, [1, 5, 9]),
    _map("hostile texts, in the run and in the store", "hostile", 12, [True] * 12),
    _map("records, in the run and in the store", "records", 4, 10600),
    _map("lists in step", "paired", 3, [f"{i} {_SHORT[i]}" for i in range(3)]),
    _map("lists of different lengths", "paired", 2, None, message="x has 2 and text has 3"),
    _map("several outputs", "pairs", 3, {"o0": 3, "o1": "n0|n1|n2"}),
    _map("an item fails", "fails", 5, None, "total", message="failed on purpose with 3"),
    _map("no item fails", "fails", 3, 3),
    _map("two items at a time", "limited", 3, 3),
    _map("two items at a time, one fails", "limited", 5, None, "total", message="failed on purpose with 3"),
    _map(
        "a list too long for a map",
        "doubled",
        1001,
        None,
        "total",
        message="has 1,001 items, and a map without batches takes at most 1,000: batch=2 would do",
    ),
    _map("in a branch that is taken", "branched", 3, 6),
    _map("in a branch that is not taken", "branched", 2, 0, "choose.then.total"),
    _map("items may fail, enough succeed", "enough", 5, {"o0": "0 1 2 - 4", "o1": [0, 1, 2, None, 4]}),
    _map("items may fail, none does", "enough", 2, {"o0": "0 1", "o1": [0, 1]}),
    _map("items may fail, of an empty list", "enough", 0, {"o0": "", "o1": []}),
    _map("sub-workflows may fail, enough succeed", "tolerant", 5, "- 10 14 18 22"),
    _map(
        "sub-workflows may fail, too few succeed",
        "tolerant",
        3,
        None,
        "known",
        message="only 2 of 3 items succeeded, and 4 must",
    ),
    _map("sub-workflows may fail, whose own maps do", "lenient", 4, "-|-|0 1|0 1 2"),
    _map(
        "sub-workflows may fail, of an empty list", "tolerant", 0, None, "known", message="only 0 of 0 items succeeded"
    ),
    _map(
        "items may fail, too few succeed", "share", 4, None, "known", message="only 3 of 4 items succeeded, and 4 must"
    ),
    _map("sub-workflows as items", "graphs", 3, {"o0": 14, "o1": ["0 item", "1 item", "2 item"]}),
    _map("sub-workflows as items of an empty list", "graphs", 0, {"o0": 0, "o1": []}),
    _map("a map in a branch in a map", "layered", 4, [0, 0, 2, 6]),
    _map("an item of sub-workflows fails", "chained", 3, None, "total", message="failed on purpose with 3"),
    _map("in sub-workflows", "nested", 3, {"o0": 6, "o1": [0, 4, 8]}),
)

BRANCHES = (
    _branch("the first branch", "chosen", 11, 12, "choose.elif-1.inc", "choose.elif-1.inc-2"),
    _branch("a later branch", "chosen", 6, 8, "choose.then.inc"),
    _branch("the last branch, without a task", "chosen", 1, 1, "choose.then.inc", "choose.elif-1.inc"),
    _branch("comparisons of every kind hold", "compared", 7, "all of it", "all.else.say"),
    _branch("comparisons of every kind do not hold", "compared", 2, "not all", "all.then.say"),
    _branch("a result that is there", "maybe", 4, "got 5"),
    _branch("a result that is None", "maybe", 3, "nothing", "some.then.inc"),
    _branch("taken, with what waits for it", "aside", 4, 5),
    _branch("not taken, with what waits for it", "aside", 3, 4, "aside.then.inc", "after", "later"),
    _branch("several outputs of a task", "several", 4, {"o0": 4, "o1": "n4"}),
    _branch("several outputs of constants", "several", 3, {"o0": 0, "o1": "none"}, "pair.then.two"),
    _branch("nested, over a sub-workflow", "nested", 8, 11, "outer.then.within.else.inc"),
    _branch("nested, the outer one not taken", "nested", 1, 1, "outer.then.within.then.inc", "sub.inner.then.inc"),
    _branch("a value in the store, taken", "stored", 9, 9),
    _branch("a value in the store, not taken", "stored", 2, -1, "long.then.count"),
    _branch("a branch that fails", "broken", 4, None, "behind", message="failed on purpose with 4"),
    _branch("a branch that does not fail", "broken", 3, 5, "risk.then.fails"),
    _branch("a branch that ends in a failure, taken", "refused", 5, None, "check.then.inc", message="0.5 of {n} {"),
    _branch("a branch that ends in a failure, not taken", "refused", 8, 9, "check.elif-1.fail", "check.elif-1.hostile"),
    _branch("a branch that ends in a failure, none of its kind", "refused", 1, -1, "check.elif-1.fail"),
    _branch("a check that fails, with what waits for it", "guarded", 7, None, "inc-2", message="more than 5"),
    _branch("a check that is passed, with what waits for it", "guarded", 1, 3, "guard.then.fail"),
    _branch("a check in a branch, that is passed", "sheltered", 1, 3, "around.then.guard.then.fail"),
    _branch("a check in a branch, that fails", "sheltered", 7, None, "around.then.inc", message="more than 5"),
    _branch("a bool that may be None, not taken", "doubtful", 4, 0, "flag.then.inc"),
    _branch("a bool that may be None, taken", "doubtful", 3, 4),
    _branch("a bool that is None", "doubtful", 6, None, "flag.then.inc", message="ask first whether it is None"),
    _branch("an order of what may be None", "uncertain", 4, 5),
    _branch("an order of None", "uncertain", 3, None, "size.then.inc", message="ask first whether it is None"),
    Case("cached, in a branch", "remembered.py:whole", {"n": 4}, {"o0": 43}),
    Case("cached, a branch without a task", "remembered.py:whole", {"n": 2}, {"o0": 21}),
    Case("partly cached, in a branch", "remembered.py:partly", {"n": 5}, {"o0": 54}),
    Case("cached, items of maps", "remembered.py:items", {"n": 3}, {"o0": 12}),
    Case(
        "cached, all items but one that fails", "remembered.py:unfinished", {"n": 0}, None, ("total",), "purpose with 0"
    ),
    Case("cached, items that lie in the store", "remembered.py:texts", {"n": 3}, {"o0": 900}),
    Case("cached, batches whose items may fail", "remembered.py:batches", {"n": 3}, {"o0": 18}),
    Case("cached, rounds of a repeat", "remembered.py:rounds", {"n": 11}, {"o0": 15}, ("step.round-4",)),
    Case("cached, what decides by its own item", "remembered.py:decided", {"n": 4}, {"o0": 14}),
    Case("cached, lists of lists that maps made", "remembered.py:rows", {"n": 4}, {"o0": 10}),
    Case("cached, one item", "remembered.py:many", {"xs": [7]}, {"o0": [8]}),
    Case("cached, no item", "remembered.py:many", {"xs": []}, {"o0": []}),
    Case("another environment for a call", "overrides.py:elsewhere", {"n": 2}, {"o0": "oslo 2"}),
    Case("settings of a pod", "overrides.py:settled", {"n": 2}, {"o0": 3}),
    Case("no retries for a call", "overrides.py:once", {"n": 3}, None, message="PLACE_OF_CALL"),
    Case("a timeout", "overrides.py:timed", {"n": 3}, None, message="longer than its timeout of 1s"),
    Case("a timeout, tried again", "overrides.py:retimed", {"n": 3}, None, message="longer than its timeout of 1s"),
    Case("no timeout for a call", "overrides.py:untimed", {"n": 3}, {"o0": 3}),
    Case("put together by calls", "imperative.py:built", {"n": 4}, {"sum": 10, "chosen": 11}),
    Case("put together by calls", "imperative.py:built", {"n": 2}, {"sum": 3, "chosen": 0}, ("choose.then.inc",)),
)


def _repeat(construct: str, name: str, n: int, outputs: Any, *absent: str, message: str = "") -> Case:
    found = outputs if outputs is None or isinstance(outputs, dict) else {"o0": outputs}
    return Case(construct, f"repeats.py:{name}", {"n": n}, found, absent, message)


REPEATS = (
    _repeat("until a condition holds", "counted", 2, 5, "inc.round-4"),
    _repeat("that holds after the first round", "counted", 9, 10, "inc.round-2", "inc.round-3"),
    _repeat("that never holds", "counted", -7, -1),
    _repeat(
        "over records, with bound inputs",
        "records",
        2,
        {"o0": {"size": 11, "name": "é {{=1+1}} !!!", "best": 0.5}, "o1": "large"},
        "improve.round-4",
    ),
    _repeat("over fields, by name", "fields", 9, {"position": 8, "error": 0.5}, "approach.round-4"),
    _repeat("over parts, by place", "places", 1, {"o0": 7, "o1": "135"}, "swapped.round-4"),
    _repeat("over values in the store", "kept", 2, 7),
    _repeat("of a sub-workflow with a branch", "graphs", 1, 6, "onwards.round-1.jump.elif-1.inc"),
    _repeat("in which a round fails", "fails", 1, None, "inc", "breaks.round-4", message="failed on purpose with 3"),
    _repeat("in which no round fails", "fails", 4, 6, "breaks.round-2"),
    _repeat("of a repeat", "twice", 2, 7, "counted.round-1.inc.round-4", "counted.round-4"),
    _repeat("in a map in a branch", "each", 2, 11),
)


def _fail(construct: str, name: str, absent: str, done: str, failed: str, message: str = "on purpose") -> Case:
    paths = (tuple(each.split()) for each in (absent, done, failed))
    gone, ended, broken = paths
    return Case(construct, f"failures.py:{name}", {"n": 1}, None, gone, message, ended, broken)


FAILURES = (
    _fail(
        "nothing new starts, and what runs may finish",
        "drained",
        "after later.after",
        "slow later.slow",
        "fail",
    ),
    _fail("what runs is ended", "aborted", "after", "", "fail slow"),
    _fail("what is independent goes on", "continued", "behind", "slow after", "fail"),
    _fail("the first failure is the message of the run", "twice", "after", "", "fail second"),
    _fail("a run longer than its deadline", "late", "after", "", "slow", "took longer than its deadline of 20s"),
    _fail("a failure in a sub-workflow", "inside", "after sub.behind", "slow", "sub.fail"),
)


def _positions(
    name: str, row: dict[str, str], first: int = 1, before: str = "", beside: str = "", behind: str = ""
) -> tuple[Case, ...]:
    """A failure of each task of a row, whose numbers go on from the first one.

    Args:
        name: Of the workflow.
        row: What each position is, and the path of its node.
        first: Its number.
        before: What runs before the row.
        beside: What runs whatever becomes of it.
        behind: What does not run because of it, or is not taken.
    """
    paths = tuple(row.values())
    return tuple(
        Case(
            f"{name.replace('_', ' ')}: {what}",
            f"positions.py:{name}",
            {"n": first + number},
            None,
            (*paths[number + 1 :], *behind.split()),
            f"failed on purpose at {first + number}",
            (*before.split(), *paths[:number], *beside.split()),
            (paths[number],),
        )
        for number, what in enumerate(row)
    )


_WITHIN = "outer.then.inner"
POSITIONS = (
    *_positions(
        "branch",
        {
            "the producer of the condition": "decide",
            "the first task, which decides on the inner branch": "outer.then.first",
            "the first task of the inner branch": f"{_WITHIN}.then.first",
            "the last task of the inner branch": f"{_WITHIN}.then.last",
            "the last task, behind the inner branch": "outer.then.last",
            "what is behind": "behind",
        },
        behind=f"outer.else.other {_WITHIN}.else.other",
    ),
    *_positions("mapped", {"the producer of a bound input": "bound"}, 1, beside="list", behind="item(0) behind"),
    *_positions("mapped", {"the producer of the list": "list"}, 2, beside="bound", behind="item(0) behind"),
    *_positions("mapped", {"the first item": "item(0)"}, 3, "bound list", "item(1) item(2)", "behind"),
    *_positions("mapped", {"an item in the middle": "item(1)"}, 4, "bound list", "item(0) item(2)", "behind"),
    *_positions("mapped", {"the last item": "item(2)"}, 5, "bound list", "item(0) item(1)", "behind"),
    *_positions("mapped", {"what is behind": "behind"}, 6, "bound list item(0) item(1) item(2)"),
    *_positions("batches", {"an item in the first pod": "each(0)"}, 1, "", "each(1) each(2) each(3)", "behind"),
    *_positions("batches", {"an item in the last pod": "each(3)"}, 4, "", "each(0) each(1) each(2)", "behind"),
    *_positions(
        "called",
        {
            "the first task": "sub.first",
            "the one in the middle": "sub.middle",
            "the last one": "sub.last",
            "what is behind": "behind",
        },
    ),
    *_positions(
        "pairs",
        {"the first task of an item": "each(0).first", "the last one": "each(0).last"},
        beside="each(1).first each(1).last",
        behind="behind",
    ),
    *_positions(
        "rounds",
        {
            "the producer of the first state": "begin",
            "the first round": "again.round-1",
            "a later round": "again.round-2",
            "what is behind": "behind",
        },
    ),
    *_positions(
        "rounds_of_pairs",
        {
            "the first task of the first round": "again.round-1.first",
            "the last task of the first round": "again.round-1.last",
            "the first task of a later round": "again.round-2.first",
            "the last task of a later round": "again.round-2.last",
        },
        behind="behind",
    ),
    *_positions(
        "items_in_a_branch",
        {"an item": "choose.then.each(0)"},
        2,
        "decide",
        "choose.then.each(1)",
        "choose.then.last choose.else.other behind",
    ),
    *_positions(
        "items_in_a_branch",
        {"behind the items, in the branch": "choose.then.last"},
        4,
        "decide choose.then.each(0) choose.then.each(1)",
        "",
        "choose.else.other behind",
    ),
    *_positions(
        "branches_in_items",
        {"the producer of a condition": "each(0).decide", "the task of a branch": "each(0).choose.else.low"},
        beside="each(1).decide each(1).choose.then.high",
        behind="each(0).choose.then.high behind",
    ),
    *_positions(
        "rounds_in_items",
        {"the first round of an item": "each(0).again.round-1", "a later one": "each(0).again.round-2"},
        beside="each(1).again.round-1 each(1).again.round-2",
        behind="behind",
    ),
    *_positions(
        "items_in_rounds",
        {"an item of the first round": "again.round-1.each(0)"},
        beside="again.round-1.each(1)",
        behind="again.round-1.last behind",
    ),
    *_positions(
        "items_in_rounds",
        {"an item of a later round": "again.round-2.each(0)"},
        3,
        "again.round-1.each(0) again.round-1.each(1) again.round-1.last",
        "again.round-2.each(1)",
        "again.round-2.last behind",
    ),
    *_positions(
        "items_in_rounds",
        {"behind the items of a round": "again.round-1.last"},
        2,
        "again.round-1.each(0) again.round-1.each(1)",
        "",
        "behind",
    ),
)


def _own(construct: str, name: str, n: int, made: list[Any], *absent: str) -> Case:
    return Case(construct, f"own.py:{name}", {"n": n}, {"o0": made}, absent)


OWN = (
    _own(
        "by a number, a text and what may be None of a mapped workflow's item",
        "sampled",
        6,
        ["hostile 0", "bare 1", "small 2", "hostile 3", "large 4", "large 5"],
        "judged(1).choose.elif-1.named",
        "judged(4).choose.elif-2.named",
    ),
    _own("by items of an empty list", "sampled", 0, []),
    _own("by items that maps made", "results", 4, [-2, 0, 16, 24]),
    _own("by items of a list in the workflow, and of single results", "written", 3, [24, 12, 28, 0]),
    _own("in a workflow that a branch of the mapped one calls", "passed", 6, [-1, 0, 1, 6, 3, 4]),
    _own("by items that may have failed", "spared", 3, [6, -1, 6]),
    _own("a map over a field of the item", "fields", 4, [0, 0, 2, 6]),
    _own("a map over the item, by whose items a workflow decides", "matrix", 5, [0, -1, -1, 0, 6]),
    _own("a map in batches over the item", "packs", 4, [0, 0, 2, 6]),
    _own("a map over items of the item", "cube", 4, [0, 0, -1, -2]),
    _own("a repeat over the item", "settling", 4, [-1, 0, 1, 1], "until(0).less.round-2", "until(3).less.round-3"),
    _own("items of an input of a workflow", "asked", 3, [0, -1, -1]),
    Case("items of an input of the run", "own.py:inputs", {"xss": [[1, 2], [], [3, 5]]}, {"o0": [1, 0, 16]}),
)

_TEXT = len("{{=1+1}} {{workflow.uid}} é '\" \\ <&> $(x)")


def _nested(construct: str, name: str, n: int, *made: Any) -> Case:
    return Case(construct, f"nested.py:{name}", {"n": n}, {f"o{place}": each for place, each in enumerate(made)})


NESTED = (
    _nested("the lists of maps in a mapped workflow", "grid", 4, "|0|0 2|0 2 4", [[], [0], [0, 2], [0, 2, 4]]),
    _nested("such lists, of an empty list", "grid", 0, "", []),
    _nested("maps over such lists, of tasks and of workflows", "twice", 4, [0, 0, 2, 6], "|0|0 4|0 4 8"),
    _nested(
        "such lists of lists of lists", "layers", 4, [[], [[]], [[], [0]], [[], [0], [0, 2]]], ["", "", "|0", "|0|0 2"]
    ),
    _nested(
        "such lists in batches",
        "bundles",
        4,
        "|0|0 2|0 2 4",
        [0, 0, 2, 6],
        [[], [0], [0, 4], [0, 4, 8]],
    ),
    _nested("such lists, or those of tasks, of branches", "choices", 5, "|0|0 1|0 2 4|0 2 4 6"),
    _nested("such lists, that a workflow passes on", "handed", 4, [0, 0, 2, 6], "|0|0 2|0 2 4"),
    _nested("such lists, of the last round of a repeat", "repeats", 4, "|0|0 4|0 4 8", [0, 0, 4, 12]),
    _nested("several such lists, and single items of one", "couples", 3, [[], ["n0"], ["n0", "n1"]], [0, 0, 1], 1, 2),
    _nested(
        "such lists, of items and of workflows that may fail",
        "spared",
        4,
        ["", "0", "0 ?", "0 ? 2"],
        ["", "-", "0 ?", "0 ? 2"],
    ),
    _nested(
        "such lists, of hostile texts in the run and in the store", "hostile", 4, [0, _TEXT, 22 * _TEXT, 23 * _TEXT]
    ),
)


def _budgets(construct: str, attempts: str, made: int | None = None, message: str = "") -> Case:
    outputs = None if made is None else {"o0": made}
    return Case(
        construct, "budgets.py:budgets", {"attempts": attempts}, outputs, (), message, (), () if outputs else ("tried",)
    )


def begun(case: Case) -> str:
    """Of a case with letters for its attempts those that must have begun: without a success not the last one."""
    letters = str(case.inputs["attempts"])
    return letters if case.outputs else letters[:-1]


BUDGETS = (
    _budgets("two failures of the code and two losses of its process, each within its budget", "fkkf.", 4),
    _budgets("a third failure of the code", "fff.", message="attempt 2 failed on purpose"),
    _budgets("a third loss of its process", "kkk."),
    _budgets(
        "a third failure of the code, where a loss was forgiven between them",
        "fkff.",
        message="attempt 3 failed on purpose",
    ),
    _budgets("a third loss of its process, where a failure was forgiven between them", "kfkk."),
)
CASES = (*BRANCHES, *MAPS, *OWN, *NESTED, *REPEATS, *POSITIONS, *BUDGETS)

_IN_EVERY_RUN = (
    *("chosen-6", "maybe-3", "aside-3", "nested-1", "stored-9", "refused-5", "broken-4", "partly-5", "elsewhere-2"),
    *("paired-2", "fails-5", "enough-5", "enough-0", "counted-9", "fields-9", "graphs-1", "once-3"),
    *("sampled-6", "asked-3", "bundles-4"),
)
_BY_NAME = {case.name: case for case in (*CASES, *FAILURES)}
CORE = tuple(_BY_NAME[name] for name in _IN_EVERY_RUN)
"""Those that run on real pods each time; the others do where all are asked for (`make conformance`)."""
