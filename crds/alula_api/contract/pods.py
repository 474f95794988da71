"""The runtime's contract: what the compiler writes for a pod, and how the pod reads it.

Version 2 is that of releases with maps in batches, `--batch` and `--part-batches`, and version 3 that of releases in
which a mapped workflow decides by its own item, `--part-each`; all else is of version 1, which other releases go on to
speak, so that older controllers run them.

The compiler writes `argv(call)` into a container's args, with Argo's tags in place of values; the runtime reads it by
`parse_argv`. Every flag takes a fixed number of words, so that a value may be any text, one that looks like a flag too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from alula_api.contract import jsontext, names
from alula_api.contract.problems import InvalidValue
from alula_api.contract.retries import SYSTEM_RETRIES, Budget

VERSION: Final = 1
"""`spec.code.runtime`, unless there is a map in batches, or of what decides by its own item or returns a map's list."""
BATCHES: Final = 2
"""Likewise where there is one in batches."""
EACH: Final = 3
"""Likewise where parts of each item of a list are published."""
NESTED: Final = 4
"""Likewise where a mapped workflow returns the list of a map inside it."""
VERSIONS: Final = (VERSION, BATCHES, EACH, NESTED)
"""Those that are compiled."""

WORK_DIR: Final = "/var/run/alula"
OUT_DIR: Final = WORK_DIR + "/out"

SCRATCH: Final = "scratch"
"""The folder beside `OUT_DIR` in which a task starts and may write: the rest of a pod's file system is read-only."""

_RESERVED_ENV: Final = ("ALULA_", "ARGO_")
"""How variables begin that pods have already."""

MIN_INLINE: Final = 128
MAX_INLINE: Final = 4096
_RUN_BUDGET = 262_144


class Env:
    """Names of the environment variables that the runtime reads."""

    RUN: Final = "ALULA_RUN"
    """The run's name."""
    RUN_UID: Final = "ALULA_RUN_UID"
    """The run's uid."""
    NODE: Final = "ALULA_NODE"
    """The node's name within the run."""
    ATTEMPT: Final = "ALULA_ATTEMPT"
    """Which attempt this is, from 0 as Argo counts."""
    STORE: Final = "ALULA_STORE"
    """URL of the domain's prefix, `<root>/<project>/<domain>`."""
    RELEASES: Final = "ALULA_RELEASES"
    """URL of the project's bundles, `<root>/<project>/releases`."""
    STORE_ENDPOINT: Final = "ALULA_STORE_ENDPOINT"
    """Endpoint of an S3 server that is not Amazon's."""
    BUNDLE: Final = "ALULA_BUNDLE"
    """Digest of the code bundle, absent when the code is in the image."""
    TIMEOUT: Final = "ALULA_TIMEOUT"
    """Seconds after which the runtime ends the attempt, as a decimal number; absent for a task without a timeout."""
    MEMORY: Final = "ALULA_MEMORY"
    """The container's memory in this attempt, for a task whose memory grows: the termination message names it."""
    INLINE_LIMIT: Final = "ALULA_INLINE_LIMIT"
    """Bytes up to which an output travels inline."""
    OUT: Final = "ALULA_OUT"
    """Where outputs are written; `OUT_DIR` unless set."""
    LOG_FORMAT: Final = "ALULA_LOG_FORMAT"
    """`json` where the installation wants alula's own lines in the log in JSON; text unless set."""
    TERMINATION_LOG: Final = "ALULA_TERMINATION_LOG"
    """Where the termination message is written; `/dev/termination-log` unless set."""
    HOME: Final = "HOME"
    """Set by the runtime to the attempt's scratch folder, as the next two are to folders in it."""
    TEMPORARY: Final = "TMPDIR"
    """Where temporary files go."""
    CACHE_HOME: Final = "XDG_CACHE_HOME"
    """Where programs keep what they could fetch again."""
    ACCESS_KEY: Final = "AWS_ACCESS_KEY_ID"
    """From the domain's Secret, where the store is a bare S3 server."""
    SECRET_KEY: Final = "AWS_SECRET_ACCESS_KEY"  # noqa: S105
    """From the domain's Secret, where the store is a bare S3 server."""


_SCRATCH_ENV: Final = (Env.HOME, Env.TEMPORARY, Env.CACHE_HOME)


def reserved(variable: str) -> str:
    """Return why a task cannot set an environment variable; empty when it can."""
    if variable.startswith(_RESERVED_ENV):
        return f"must not begin with {' or '.join(_RESERVED_ENV)}"
    if variable in _SCRATCH_ENV:
        return "names a folder of the scratch that each attempt starts in; write there"
    return ""


FOLDER: Final = "^(/[-A-Za-z0-9_.]+)+$"
OBJECT_NAME: Final = rf"(?=.{{1,253}}\Z){names.OBJECT}"
"""Names of Secrets, claims and other objects that a pod uses."""
DATA_KEY: Final = r"[-._a-zA-Z0-9]{1,253}"
"""Keys of Secrets."""
SHARED_MEMORY: Final = "/dev/shm"  # noqa: S108 - the folder that Linux has for it
_OWN_FOLDERS: Final = (WORK_DIR, "/argo", "/var/run/argo", "/var/run/secrets", "/dev", "/proc", "/sys", "/etc")
_OWN_LABELS: Final = ("alula.dev", "argoproj.io", "kubernetes.io", "k8s.io")
_OPEN_LABELS: Final = ("app.kubernetes.io", "cluster-autoscaler.kubernetes.io")
"""Those of Kubernetes that say what a pod is, and whether it may be moved."""


def folder_problem(path: object) -> str:
    """Return what is expected of a folder where a task cannot have anything mounted; empty where it can."""
    import re

    if not isinstance(path, str) or not re.fullmatch(FOLDER, path) or {".", ".."} & set(path.split("/")):
        return "an absolute folder, as /secrets/db"
    if any(path == own or path.startswith(f"{own}/") or own.startswith(f"{path}/") for own in _OWN_FOLDERS):
        return f"another folder than {', '.join(_OWN_FOLDERS)}, and what lies in them"
    return ""


def inside_problem(path: object, fixed: Iterable[object]) -> str:
    """Return what is expected of a folder that would lie in one of `fixed`, which nobody can write in; else empty."""
    outer = next((each for each in fixed if str(path).startswith(f"{each}/")), None)
    return "" if outer is None else f"a folder outside of {outer}, in which no other one can be made"


def reserved_label(key: str) -> str:
    """Return why a task cannot give its pod a label or annotation; empty when it can."""
    domain = key.partition("/")[0] if "/" in key else ""
    if domain in _OPEN_LABELS:
        return ""
    owner = next((own for own in _OWN_LABELS if domain == own or domain.endswith(f".{own}")), "")
    return f"is one of {owner}" if owner else ""


OPERATORS: Final = ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt")
"""What may hold for a label of a node."""


def rule_problem(operator: object, values: Sequence[str]) -> str:
    """Return what is expected of the rule for a node's label; empty where it is one that Kubernetes takes."""
    if operator not in OPERATORS:
        return f"one of {', '.join(OPERATORS)}"
    if operator in ("Exists", "DoesNotExist"):
        return f"no values: {operator} asks for the label alone" if values else ""
    if operator in ("Gt", "Lt"):
        fits = len(values) == 1 and values[0].isascii() and values[0].isdigit()
        return "" if fits else f"one whole number as the value of {operator}"
    return "" if values else f"one or more values of {operator}"


def remark(memory: str) -> str:
    """Return how a termination message names the memory of its attempt, with the parenthesis that ends it."""
    return f"memory {memory})"


STOP: Final = "stop"
"""After a call of a batch has failed no other begins; those that have finished are kept, where they are cached."""
GO_ON: Final = "go-on"
"""The others run, then the batch fails."""
TOLERATE: Final = "tolerate"
"""The others run, and the failed one has no value."""
FAILING: Final = (STOP, GO_ON, TOLERATE)


class Each(NamedTuple):
    """A list of a part of each item of a list, which is published.

    Attributes:
        name: Of the parameter.
        output: In which the list lies.
        paths: Where the list lies in it, where the part lies in an item, and so on.
        form: Of a part.
        size: Of the batches, where that is the form.
    """

    name: str
    output: str
    paths: tuple[tuple[str, ...], ...]
    form: str
    size: int


class Call(NamedTuple):
    """One call of a task."""

    entrypoint: str
    """`module:qualname`, relative to the project's root."""
    task: str
    """The name in the cache key."""
    interface: str
    """The interface digest of the resource."""
    cache: str = ""
    """The cache version, "" for a task that is not cached."""
    environment: str = ""
    """The digest of what the resource sets in the environment, "" for nothing."""
    retries: int = 0
    """Failures of the user's code that are forgiven."""
    system_retries: int = SYSTEM_RETRIES
    """Attempts that are forgiven when they end without a failure of the user's code."""
    inputs: tuple[tuple[str, str], ...] = ()
    """Name and JSON text of each input."""
    items: tuple[tuple[str, str], ...] = ()
    """Name and JSON list of JSON texts: an input that is put together from several nodes."""
    paths: Mapping[str, tuple[str, ...]] = {}
    """The attribute path into the value of an input, or of one of its items as `name.3`."""
    outputs: tuple[str, ...] = ()
    """The names of the outputs, in the order in which the function returns them."""
    parts: tuple[tuple[str, str, tuple[str, ...], str], ...] = ()
    """What is published beside them: the parameter's name, the output, the path in its value, and the form."""
    batches: tuple[tuple[str, str, tuple[str, ...], int], ...] = ()
    """Likewise lists in batches, with the size of these in place of the form."""
    each: tuple[Each, ...] = ()
    """Likewise lists of a part of each item."""
    over: tuple[str, ...] = ()
    """Of a batch of calls the inputs that are lists, with an item for each call; otherwise empty."""
    parallel: int = 1
    """How many calls of a batch run at one time."""
    failing: str = STOP
    """What a failure of one of them means for the others."""
    backoff: tuple[str, str, str] = ("", "", "")
    """Between two attempts at one of them: duration, factor and cap, as in a resource."""

    @property
    def budget(self) -> Budget:
        """The failures after which there is another attempt."""
        return Budget(self.retries, self.system_retries)


_ONCE = {"--entrypoint": "entrypoint", "--task": "task", "--interface": "interface"}
_OPTIONAL = {"--cache": "cache", "--environment": "environment", "--failing": "failing"}
_FLAGS = {"scalar": "--part", "items": "--part-items", "item": "--part-item"}
"""Of what is published, by its form."""
_EACH = ("scalar", "items", "batches")
"""Of parts of each item of a list, likewise."""
_FORMS = {flag: form for form, flag in _FLAGS.items()}
_COUNTS = {"--retries": "0", "--system-retries": str(SYSTEM_RETRIES), "--parallel": "1"}
_BATCH: Final = "--batch"


def argv(call: Call) -> list[str]:
    """Return the arguments of the runtime for a call."""
    words = ["--entrypoint", call.entrypoint, "--task", call.task, "--interface", call.interface]
    if call.cache:
        words += ["--cache", call.cache]
    if call.environment:
        words += ["--environment", call.environment]
    if call.retries:
        words += ["--retries", str(call.retries)]
    if call.system_retries != SYSTEM_RETRIES:
        words += ["--system-retries", str(call.system_retries)]
    for name, text in call.inputs:
        words += ["--input", name, text]
    for name, text in call.items:
        words += ["--items", name, text]
    for name, path in call.paths.items():
        words += ["--path", name, jsontext.argo_safe(jsontext.dumps(list(path)))]
    for name in call.outputs:
        words += ["--output", name]
    for name, output, path, form in call.parts:
        words += [_FLAGS[form], name, output, jsontext.argo_safe(jsontext.dumps(list(path)))]
    for name, output, path, size in call.batches:
        words += ["--part-batches", name, output, jsontext.argo_safe(jsontext.dumps(list(path))), str(size)]
    for name, output, paths, form, size in call.each:
        written = jsontext.argo_safe(jsontext.dumps([list(path) for path in paths]))
        words += ["--part-each", name, output, written, form, str(size)]
    for name in call.over:
        words += [_BATCH, name]
    if call.over:
        words += ["--failing", call.failing]
    if call.parallel != 1:
        words += ["--parallel", str(call.parallel)]
    if any(call.backoff):
        words += ["--backoff", *call.backoff]
    return words


def is_batch(words: Sequence[str]) -> bool:
    """Tell whether these are the arguments of a batch of calls; whatever else is wrong with them."""
    try:
        return _BATCH in words and bool(parse_argv(words).over)
    except ValueError:
        return False


def parse_argv(words: Sequence[str]) -> Call:
    """Return the call that `argv` wrote.

    Raises:
        ValueError: Names the flag that is unknown, incomplete, given twice or missing.
    """
    rest = iter(words)
    once: dict[str, str] = {}
    pairs: dict[str, list[tuple[str, str]]] = {"--input": [], "--items": [], "--path": []}
    outputs: list[str] = []
    over: list[str] = []
    parts: list[tuple[str, str, tuple[str, ...], str]] = []
    batches: list[tuple[str, str, tuple[str, ...], int]] = []
    each: list[Each] = []
    backoff = ("", "", "")
    for flag in rest:
        if flag in _ONCE or flag in _OPTIONAL or flag in _COUNTS:
            value = _next(rest, flag)
            if flag in once:
                raise ValueError(f"{flag} is given twice")
            once[flag] = value
        elif flag in pairs:
            name = _next(rest, flag)
            pairs[flag].append((name, _next(rest, flag)))
        elif flag == "--output":
            outputs.append(_next(rest, flag))
        elif flag in _FORMS:
            parts.append((_next(rest, flag), _next(rest, flag), _path(_next(rest, flag), flag), _FORMS[flag]))
        elif flag == "--part-batches":
            name, output, path = _next(rest, flag), _next(rest, flag), _path(_next(rest, flag), flag)
            batches.append((name, output, path, _count(flag, _next(rest, flag))))
        elif flag == "--part-each":
            each.append(_each(rest, flag))
        elif flag == _BATCH:
            over.append(_next(rest, flag))
        elif flag == "--backoff":
            backoff = (_next(rest, flag), _next(rest, flag), _next(rest, flag))
        else:
            raise ValueError(f"the runtime has no flag {flag[:80]!r}")
    counts = [_count(flag, once.pop(flag, usual)) for flag, usual in _COUNTS.items()]
    for flag in _ONCE:
        if flag not in once:
            raise ValueError(f"{flag} is missing")
    if once.get("--failing", STOP) not in FAILING:
        raise ValueError(f"--failing must be one of {', '.join(FAILING)}, not {once['--failing'][:80]!r}")
    return Call(
        **{(_ONCE | _OPTIONAL)[flag]: value for flag, value in once.items()},
        retries=counts[0],
        system_retries=counts[1],
        parallel=max(1, counts[2]),
        inputs=tuple(pairs["--input"]),
        items=tuple(pairs["--items"]),
        paths={name: _path(text) for name, text in pairs["--path"]},
        outputs=tuple(outputs),
        parts=tuple(parts),
        batches=tuple(batches),
        each=tuple(each),
        over=tuple(over),
        backoff=backoff,
    )


def _next(words: Iterator[str], flag: str) -> str:
    for word in words:
        return word
    raise ValueError(f"{flag} has too few words after it")


def _each(rest: Iterator[str], flag: str) -> Each:
    name, output, paths, form = (_next(rest, flag) for _ in range(4))
    if form not in _EACH:
        raise ValueError(f"{flag} must be one of {', '.join(_EACH)}, not {form[:80]!r}")
    return Each(name, output, _paths(paths, flag), form, _count(flag, _next(rest, flag)))


def _count(flag: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise ValueError(f"{flag} must be a number, not {text[:80]!r}")
    return int(text)


def _path(text: str, flag: str = "--path") -> tuple[str, ...]:
    try:
        found = jsontext.parse(text)
    except InvalidValue as error:
        raise ValueError(f"{flag}: {error}") from None
    if type(found) is not list or not all(type(step) is str for step in found):
        raise ValueError(f"{flag} must be a JSON list of texts")
    return tuple(found)


def _paths(text: str, flag: str) -> tuple[tuple[str, ...], ...]:
    try:
        found = jsontext.parse(text)
    except InvalidValue as error:
        raise ValueError(f"{flag}: {error}") from None
    if type(found) is not list or len(found) < 2:
        raise ValueError(f"{flag} must be a JSON list of two paths or more")
    return tuple(_path(jsontext.dumps(path), flag) for path in found)


def inline_limit(nodes: int) -> int:
    """Return the bytes up to which an output travels inline in a run of that size."""
    return max(MIN_INLINE, min(MAX_INLINE, _RUN_BUDGET // max(nodes, 1)))
