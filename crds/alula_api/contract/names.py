"""Names of objects, nodes and labels: from Python's names to what Kubernetes and Argo accept.

Used by the SDK when it emits, by the compiler and by the controller. A name that two things share is an error that
they report; nothing here knows the other names, but for `NodeIds`.
"""

from __future__ import annotations

import re
from typing import Final

GROUP: Final = "alula.dev"
API_VERSION: Final = f"{GROUP}/v1alpha1"
FIRST_DOMAIN: Final = "dev"
"""The domain that releases enter, and that commands mean, unless another is named."""
KINDS: Final = ("Workflow", "LaunchPlan", "Domain")
"""What people write of the group; `WorkflowRevision` is the controller's."""

MOST_LABEL: Final = 63
MOST_OBJECT_NAME: Final = 49
"""Of a Workflow or LaunchPlan: with `lp-` before it and a scheduled time or a revision after it, a label."""
POOLS: Final = "alula-pools"
"""The ConfigMap with the limits of a domain's pools."""
ADMIT: Final = "admit"
"""The first node of every run; no node of a user is called so."""
ADMITTED: Final = "admitted"
"""The output of `admit` in a workflow without inputs: a hold without an open output could be resumed by hand."""
TAKEN: Final = "taken--branch"
"""The parameter that says which branch of a conditional is taken; no input of a user is called so."""
NOTHING: Final = "nothing"
"""The template of a branch in which nothing runs."""
NONE_TAKEN: Final = "none--taken"
"""What it says where no branch is."""
ITEM: Final = "item"
"""The task in the template of a map that runs once for each item."""
BATCH: Final = "batch"
"""Ends the name of the template of a pod that runs several items."""
ATTEMPT: Final = "try"
"""The task in the template of an item that may fail which runs it."""
ENOUGH: Final = "enough"
"""The task in the template of a map of such items which fails where too few of them succeeded."""
OBJECT: Final = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
"""The name of a Secret, a PriorityClass and most other objects of Kubernetes: labels with dots between them."""
LABEL_KEY: Final = rf"({OBJECT}/)?[A-Za-z0-9]([-A-Za-z0-9_.]{{0,61}}[A-Za-z0-9])?"
"""The name of a label or annotation: `team`, or with a domain `example.org/team`."""
SUCCEEDED: Final = "succeeded--item"
"""The output of such an item which says whether it succeeded, and of a batch of them how many did; no output of a user
is called so."""
MAIN: Final = "main"
"""The graph and the template that a run begins with."""
RESERVED_PROJECTS: Final = ("openapi", "platform")
"""Folders of a gitops repository that are no project's: the merge keys, and what the platform team owns."""
RELEASES: Final = "releases"
"""What lies beside the domains under a project's prefix: the bundles of code."""
RESERVED_DOMAINS: Final = (RELEASES,)
"""A domain of this name would keep its data where all domains of the project read their code."""

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_VERSION = r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
# Sets rather than patterns: every pod asks for the name of its task and of each input.
_DIGITS = frozenset("0123456789")
_LOWER = frozenset("abcdefghijklmnopqrstuvwxyz")
_LETTERS = _LOWER | frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_IN_LABEL = _LOWER | _DIGITS
_IN_PARAMETER = _LETTERS | _DIGITS | frozenset("_-")
_PLAIN = _IN_PARAMETER | frozenset(".")
_HASH = 8
_MOST_PATH = 100

CODE_VERSION: Final = "code:"
"""Begins a cache version that is the digest of the task's code; one that a person gives may not begin so."""


def dns_label(text: str, limit: int = MOST_LABEL) -> str:
    """Return a DNS label for any text: lower case, `_`, `.` and the like as `-`.

    What would be lost beyond that (other characters, the end of a long text, all of it) leaves a hash at the end, so
    that different texts have different labels unless they differ in case and separators only.
    """
    label = "-".join("".join(c if c in _IN_LABEL else " " for c in text.lower()).split())
    if label and len(label) <= limit and _PLAIN.issuperset(text):
        return label
    import hashlib

    suffix = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH]
    return f"{label[: limit - _HASH - 1].rstrip('-')}-{suffix}".lstrip("-")


_PART = r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*"
_HOST = r"(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9]+(?:[-.]+[A-Za-z0-9]+)*)(?::[0-9]+)?"
_IMAGE = rf"(?:{_HOST}/)?{_PART}(?:/{_PART})*(?::[A-Za-z0-9_][-A-Za-z0-9_.]{{0,127}})?(?:@[a-z0-9+.-]+:[0-9a-f]+)?"
IMAGES: Final = "an image reference such as ghcr.io/acme/train:1.2"


def is_image(name: object) -> bool:
    """Whether container runtimes take it as the name of an image."""
    return isinstance(name, str) and re.fullmatch(_IMAGE, name) is not None


def is_dns_label(text: str) -> bool:
    """Tell whether a text is a DNS label: the name of a namespace, a node or a template."""
    return re.fullmatch(_LABEL, text) is not None


def is_node_id(text: str) -> bool:
    """Tell whether a text can be the id of a node: a DNS label that begins with a letter, as Argo's `depends` needs."""
    return text[:1] in _LOWER and is_dns_label(text)


def node_id(text: str) -> str:
    """Return the id of a node for any text: its DNS label, with `n-` before one that begins with a digit."""
    label = dns_label(text)
    return label if label[0] in _LOWER else f"n-{label}"[:MOST_LABEL].rstrip("-")


def is_parameter(text: str) -> bool:
    """Tell whether a text can name an input or output: Argo's parameters allow letters, digits, `_` and `-`."""
    begins = text[:1] in _LETTERS or text[:1] == "_"
    return begins and len(text) <= MOST_LABEL and _IN_PARAMETER.issuperset(text)


def is_version(text: str) -> bool:
    """Tell whether a text can name a version of a workflow or a release: it is the value of a label."""
    return re.fullmatch(_VERSION, text) is not None


def object_name(module: str, function: str) -> str:
    """Return the name of the object of a workflow or launch plan: `flows.penguins`, `train` is `penguins-train`."""
    return dns_label(f"{module.rpartition('.')[2]}-{function}", MOST_OBJECT_NAME)


def path_parameter(name: str) -> str:
    """Return the name of the parameter beside one, which says what part of its value is meant."""
    return f"{name}--path"


def part_parameter(name: str, path: tuple[str, ...] = ()) -> str:
    """Return the name of the parameter beside one, in which a part of its value is published for conditions."""
    shown = "-".join(path)
    if not _IN_PARAMETER.issuperset(shown) or "-" in "".join(path) or len(shown) > _MOST_PATH:
        import hashlib

        shown = hashlib.sha256("\0".join(path).encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{name}--part-{shown}" if path else f"{name}--part"


def items_parameter(name: str, path: tuple[str, ...] = ()) -> str:
    """Return the name of the parameter beside one, in which a list in its value is published for a map to go over."""
    return part_parameter(name, path).replace("--part", "--items", 1)


def batches_parameter(name: str, path: tuple[str, ...], size: int) -> str:
    """Return the name of the parameter beside one, in which a list in its value is published in batches of a size."""
    return part_parameter(name, path).replace("--part", f"--batches-{size or 'auto'}", 1)


def each_parameter(inner: str, name: str, path: tuple[str, ...]) -> str:
    """Return the name of the parameter beside one, in which a part of each item of a list in its value is published.

    Args:
        inner: As which the part of an item is published, if it were a value of the same name.
        name: Of the parameter.
        path: Where the list lies in its value.
    """
    kind = inner.removeprefix(f"{name}--")
    return f"{part_parameter(name, path).replace('--part', '--each', 1)}-{kind}"


def item_parameter(name: str) -> str:
    """Return the name of the parameter beside one, in which its value is published as an item of a map's list."""
    return f"{name}--item"


def launch_plan_template(name: str) -> str:
    """Return the name of a launch plan's template, so that a plan may be called like its workflow."""
    return f"lp-{name}"


def scheduled_run(plan: str, seconds: int) -> str:
    """Return the name of the run of a launch plan for a scheduled time, in seconds since 1970. Argo's own CronWorkflow
    of the same name would give it the same."""
    return f"{launch_plan_template(plan)}-{seconds}"


def backfill_run(plan: str, seconds: int, number: int) -> str:
    """Return the name of a run of a launch plan that is made later for a scheduled time: `number` earlier ones there
    were."""
    ending = f"-{seconds}-b{number}"
    return f"{dns_label(launch_plan_template(plan), MOST_LABEL - len(ending))}{ending}"


def revision_name(name: str, rev8: str) -> str:
    """Return the name of a revision; `rev8` is the beginning of the digest of plan and compiled spec."""
    return f"{name}-{rev8}"


class NodeIds:
    """Gives the nodes of one graph their ids: the name of the task, then `-2`, `-3` and so on."""

    def __init__(self) -> None:
        self._taken = {ADMIT}
        self._next: dict[str, int] = {}

    def allocate(self, name: str) -> str:
        """Return an id that no other node of the graph has."""
        label = node_id(name)
        candidate, count = label, self._next.get(label, 1)
        while candidate in self._taken:
            count += 1
            ending = f"-{count}"
            candidate = label[: MOST_LABEL - len(ending)].rstrip("-") + ending
        self._taken.add(candidate)
        self._next[label] = count
        return candidate

    def take(self, id: str) -> bool:
        """Give a node the id that its author chose; False, and nothing happens, when another node has it."""
        free = id not in self._taken
        self._taken.add(id)
        return free


def argo_node_name(run: str, *tasks: str) -> str:
    """Return the name of Argo's node: the run's name and that of each task on the way, joined by dots."""
    return ".".join((run, *tasks))


def argo_path(path: str) -> str:
    """Return the path of a node as Argo has it: the item `fit(3)` of a map is `fit.item(3:3)`."""
    return _INDEX.sub(rf".{ITEM}(\1:\1)", path) if "(" in path else path


_INDEX = re.compile(r"\((\d+)\)")


def argo_node_id(run: str, node_name: str) -> str:
    """Return the id of Argo's node, by Argo's own formula; the root's is the run's name."""
    if node_name == run:
        return run
    value = 0x811C9DC5
    for byte in node_name.encode():
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return f"{run}-{value}"
