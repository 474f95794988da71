"""What `@task` takes besides the function: retries, timeout, cache, resources, image, environment, secrets.

Made by the decorator; read by the local runner and by emission. All problems of one decorator are told at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from alula.interfaces import explained
from alula_api.contract import durations, names, pods
from alula_api.contract import retries as budgets
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic, did_you_mean

if TYPE_CHECKING:
    import datetime

    from alula.declare.pod_settings import Pod
    from alula_api.contract.graphs import specs

_VARIABLE = r"[A-Za-z_][A-Za-z0-9_]*"
_UNPRINTABLE = "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\\ufffe\\uffff\\ud800-\\udfff]"
"""What kustomize and YAML readers refuse or change in silence."""
_COUNT = f"a whole number from 0 to {budgets.MAX_RETRIES}"

Duration: TypeAlias = "datetime.timedelta | int | float | str"
Quantity = str | int | float
QuantityPair = Quantity | tuple[Quantity | None, Quantity | None] | None


@explained.explain_options
class Backoff(NamedTuple):
    """How long to wait before another attempt.

    Attributes:
        duration: Before the second attempt: a timedelta, seconds, or text such as `10s`.
        factor: Each further wait is so many times the one before; a whole number from 1 to 100.
        cap: The longest wait.
    """

    duration: Duration
    factor: int = 2
    cap: Duration | None = None

    def spelled(self) -> budgets.Backoff:
        """As it stands in the resource."""
        longest = None if self.cap is None else durations.text(seconds(self.cap))
        return budgets.Backoff(durations.text(seconds(self.duration)), self.factor, longest)


@explained.explain_options
class Retries(NamedTuple):
    """How often a task is tried again after its own code has failed; see `system_retries` for lost pods."""

    limit: int = 0
    backoff: Backoff | None = None


@explained.explain_options
class Retention(NamedTuple):
    """How long runs of a launch plan stay on the cluster after their end, where its domain would keep them for longer.

    Attributes:
        succeeded: Runs that succeeded: a timedelta, seconds, or text such as `1d`; None for as long as the domain says.
        failed: All others.
    """

    succeeded: Duration | None = None
    failed: Duration | None = None


@explained.explain_options
class Cache(NamedTuple):
    """Results are kept and used again for equal inputs.

    Attributes:
        version: Names the state of the code; another version never sees these results. Without one it is the digest of
            the function's source and of the helpers and constants that it names.
    """

    version: str | None = None


@explained.explain_options
class Resources(NamedTuple):
    """What a task's container needs: one quantity is request and limit, a pair is (request, limit).

    `Resources(cpu=("500m", "2"), memory="2Gi", gpu=1)`. In a pair, None leaves one of the two out.
    """

    cpu: QuantityPair = None
    memory: QuantityPair = None
    gpu: QuantityPair = None
    ephemeral_storage: QuantityPair = None
    other: Mapping[str, QuantityPair] | None = None
    """Any other resource by the name that the cluster has for it: `{"amd.com/gpu": 1}`."""

    def requests(self) -> dict[str, str]:
        """What the scheduler sets aside, by the names of Kubernetes."""
        return self._side(0)

    def limits(self) -> dict[str, str]:
        """What the container may use at most, by the names of Kubernetes."""
        return self._side(1)

    def _side(self, side: int) -> dict[str, str]:
        named = {**{name: getattr(self, option) for name, option in _RESOURCES.items()}, **(self.other or {})}
        chosen = {name: pair[side] if isinstance(pair, tuple) else pair for name, pair in named.items()}
        return {name: _quantity(value) for name, value in chosen.items() if value is not None}


@explained.explain_options
class Growth(NamedTuple):
    """More memory for the attempt after one whose container was killed for lack of it; `grow` makes it.

    Attributes:
        factor: By which it grows each time, from 1.1 to 16.
        max: The most that any attempt gets, as `16Gi`.
    """

    factor: int | float
    max: str

    def spelled(self) -> specs.Growth:
        """As it stands in the resource."""
        from alula_api.contract.graphs import specs

        return specs.Growth(_decimals(self.factor), self.max)


def grow(factor: int | float, max: str) -> Growth:
    """Let memory grow after a kill for lack of it: `@task(resources=Resources(memory="2Gi"), on_oom=grow(2, "16Gi"))`.

    Args:
        factor: By which request and limit grow each time, from 1.1 to 16.
        max: The most that any attempt gets, as `16Gi`.
    """
    return Growth(factor, max)


_RESOURCES = {"cpu": "cpu", "memory": "memory", "nvidia.com/gpu": "gpu", "ephemeral-storage": "ephemeral_storage"}
"""What the options are called in a pod."""


@explained.explain_options
class Secret(NamedTuple):
    """An environment variable of the task that a Secret of its namespace fills; the value is never in git.

    Attributes:
        name: The environment variable; locally, a variable of that name must be set.
        secret: The Secret's name.
        key: The key in the Secret.
    """

    name: str
    secret: str
    key: str


class TaskOptions(NamedTuple):
    """The checked options of a task."""

    retries: Retries = Retries()
    system_retries: int | None = None
    """None: what the Domain says, or 3."""
    timeout: datetime.timedelta | None = None
    cache: Cache | None = None
    resources: Resources | None = None
    image: str | None = None
    pool: str | None = None
    environment: Mapping[str, str] = {}
    secrets: tuple[Secret, ...] = ()
    pod: Pod | None = None
    interruptible: bool | None = None
    """None: what the Domain says."""
    on_oom: Growth | None = None

    @property
    def budget(self) -> budgets.Budget:
        """The failures after which there is another attempt, where no Domain says otherwise."""
        system = budgets.SYSTEM_RETRIES if self.system_retries is None else self.system_retries
        return budgets.Budget(self.retries.limit, system)


def seconds(duration: Duration) -> float:
    """A duration in seconds.

    Raises:
        ValueError: It is no duration, or not a number of milliseconds from 1 up.
    """
    import datetime

    if isinstance(duration, bool):
        raise ValueError("must be a timedelta, seconds or text such as 10m")
    if isinstance(duration, datetime.timedelta):
        number = duration.total_seconds()
    elif isinstance(duration, (int, float)):
        number = float(duration)
    elif isinstance(duration, str):
        number = durations.seconds(duration)
    else:
        raise ValueError("must be a timedelta, seconds or text such as 10m")
    if not 0.001 <= number < float("inf") or round(number * 1000) / 1000 != number:
        raise ValueError("must be 1 millisecond or more, in whole milliseconds")
    return number


def _quantity(value: Quantity) -> str:
    """A number as Kubernetes writes it, exactly: thousandths where there are only such, else its decimals."""
    if not isinstance(value, float):
        return str(value)
    if value.is_integer():
        return str(int(value))
    import decimal

    exact = decimal.Decimal(repr(value))
    thousandths = exact * 1000
    return f"{int(thousandths)}m" if thousandths == int(thousandths) else f"{exact:f}"


class _Check:
    """Collects what is wrong with the options of one decorator."""

    def __init__(self, source: str, subject: str) -> None:
        self.source = source
        self.subject = subject
        self.problems: list[Diagnostic] = []

    def problem(self, option: str, value: object, expected: str, hint: str = "", code: Code = Code.BAD_OPTION) -> None:
        message = f"the option {option} cannot be {value!r}"
        self.problems.append(Diagnostic(code, message, self.source, self.subject, expected, hint))

    def retries(self, value: object) -> Retries:
        made = Retries(value) if isinstance(value, int) and not isinstance(value, bool) else value
        if not isinstance(made, Retries) or not _is_whole(made.limit):
            self.problem("retries", value, f"{_COUNT}, or Retries(limit, Backoff(...))")
            return Retries()
        if not 0 <= made.limit <= budgets.MAX_RETRIES:
            self.problem("retries", made.limit, _COUNT)
        backoff: Any = made.backoff
        if backoff is None:
            return made
        if not isinstance(backoff, Backoff):
            self.problem("backoff", backoff, 'Backoff("10s", factor=2, cap="5m")')
            return made
        for name, duration in (("backoff duration", backoff.duration), ("backoff cap", backoff.cap)):
            if duration is not None or name == "backoff duration":
                self.duration(name, duration)
        if not _is_whole(backoff.factor) or not 1 <= backoff.factor <= 100:
            self.problem("backoff factor", backoff.factor, "a whole number from 1 to 100")
        return made

    def system_retries(self, value: object) -> int | None:
        if value is None or (isinstance(value, int) and _is_whole(value) and 0 <= value <= budgets.MAX_RETRIES):
            return value
        self.problem("system_retries", value, _COUNT)
        return None

    def duration(self, name: str, value: Any) -> datetime.timedelta | None:
        import datetime

        try:
            return datetime.timedelta(seconds=seconds(value))
        except (ValueError, OverflowError):
            self.problem(name, value, "a timedelta, seconds, or text such as 90s or 10m; 1 ms or more")
            return None

    def timeout(self, value: Any) -> datetime.timedelta | None:
        found = self.duration("timeout", value)
        if found is None:
            return None
        from alula_api.contract import durations

        if found.total_seconds() > durations.MAX_TIMEOUT:
            self.problem("timeout", value, f"at most {durations.MAX_TIMEOUT // 86_400} days")
        return found

    def cache(self, value: object) -> Cache | None:
        if value is True:
            return Cache()
        if value is False or value is None:
            return None
        hint = f"write cache=Cache(version={value!r})" if isinstance(value, str) else ""
        if not isinstance(value, Cache):
            self.problem("cache", value, 'True, False, or Cache(version="1")', hint)
            return None
        version: Any = value.version
        if version is not None and not (
            isinstance(version, str) and 1 <= len(version) <= 256 and version.isprintable()
        ):
            self.problem("cache version", version, "a text of 1 to 256 printable characters")
        elif version is not None and version.startswith(names.CODE_VERSION):
            self.problem("cache version", version, f"a text that does not begin with {names.CODE_VERSION}")
        return value

    def resources(self, value: object) -> Resources | None:
        if value is None or not isinstance(value, Resources):
            if value is not None:
                self.problem("resources", value, 'Resources(cpu="1", memory="2Gi")')
            return None
        from alula_api.contract import quantities  # a pod's task needs it only where it has resources

        good = value
        other: Any = {} if value.other is None else value.other
        if not isinstance(other, Mapping) or any(name in _RESOURCES or not isinstance(name, str) for name in other):
            hint = "cpu, memory, gpu and ephemeral_storage are options of their own"
            self.problem("other", other, 'a dict such as {"amd.com/gpu": 1}', hint)
            good, other = good._replace(other=None), {}
        for name in (*_RESOURCES.values(), *other):
            pair = other[name] if name in other else getattr(value, name)
            before = len(self.problems)
            if isinstance(pair, tuple) and len(pair) != 2:
                self.problem(name, pair, "one quantity, or a pair (request, limit)")
            for part in pair if isinstance(pair, tuple) else (pair,):
                if part is not None and not _is_quantity(part):
                    self.problem(name, part, "a quantity such as 2, 500m or 4Gi", _quantity_hint(part))
            if len(self.problems) > before and name in other:
                good = good._replace(other={each: found for each, found in (good.other or {}).items() if each != name})
            elif len(self.problems) > before:
                cleared: dict[str, Any] = {name: None}
                good = good._replace(**cleared)
        for wrong in quantities.problems(good.requests(), good.limits()):
            option = _RESOURCES.get(wrong.name, wrong.name)
            hint = wrong.hint.replace("write ", f"write {option}=", 1)
            shown = other[option] if option in other else getattr(value, option)
            self.problem(option, shown, wrong.expected, hint)
        return value

    def interruptible(self, value: object) -> bool | None:
        if value is None or isinstance(value, bool):
            return value
        self.problem("interruptible", value, "True, False, or None for what the Domain says")
        return None

    def on_oom(self, value: object) -> Growth | None:
        if value is None or isinstance(value, Growth):
            return value
        self.problem("on_oom", value, 'grow(2, "16Gi"): the factor, and the most memory')
        return None

    def growth(self, chosen: TaskOptions) -> None:
        """What `on_oom` demands of the other options."""
        growth = chosen.on_oom
        if growth is None:
            return
        from alula_api.contract import memory

        own = chosen.resources or Resources()
        text = _decimals(growth.factor) if _is_number(growth.factor) else ""
        most: Any = growth.max
        what, expected, hint = memory.problem(text, most if isinstance(most, str) else "", own.requests(), own.limits())
        if what == "memory":
            self.problem("on_oom", growth, expected, hint)
        elif what:
            self.problem(f"on_oom, {what}", getattr(growth, what), expected, hint)
        elif chosen.system_retries == 0:
            expected = "system_retries of 1 or more, one for each kill: a killed attempt counts as lost"
            self.problem("on_oom", growth, expected)

    def pod(self, value: object) -> Pod | None:
        if value is None:
            return None
        from alula.declare import pod_settings  # a pod's task needs it only where it has settings

        if not isinstance(value, pod_settings.Pod):
            self.problem("pod", value, 'Pod(node_selector={"pool": "gpu"})')
            return None
        for wrong in pod_settings.problems(value):
            self.problem(f"pod, {wrong.setting}", wrong.value, wrong.expected)
        return value

    def image(self, value: object) -> str | None:
        if value is None or names.is_image(value):
            return value  # type: ignore[return-value]
        hint = "leave the scheme out" if isinstance(value, str) and "://" in value else ""
        self.problem("image", value, names.IMAGES, hint)
        return None

    def pool(self, value: object) -> str | None:
        if value is None or (isinstance(value, str) and names.is_dns_label(value)):
            return value
        self.problem("pool", value, "the name of a pool of the Domain: lower case letters, digits and -")
        return None

    def environment(self, value: object) -> dict[str, str]:
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            self.problem("environment", value, 'a dict such as {"LOG_LEVEL": "info"}')
            return {}
        for name, text in value.items():
            if not isinstance(name, str) or not re.fullmatch(_VARIABLE, name):
                self.problem("environment", name, "the name of a variable: letters, digits and _")
            self.reserved("environment", name)
            if not isinstance(text, str):
                self.problem(f"environment {name}", text, "a text", f'write "{text}"')
            elif re.search(_UNPRINTABLE, text):
                self.problem(f"environment {name}", text, "a text without control characters")
        return dict(value)

    def reserved(self, option: str, name: object) -> None:
        """No variable is called like those that alula and Argo set themselves."""
        reserved = pods.reserved(name) if isinstance(name, str) else ""
        if reserved:
            self.problem(option, name, f"another name: this one {reserved}")

    def variables(self, environment: Mapping[str, str], secrets: Iterable[Secret]) -> None:
        """One variable has one value."""
        names = list(environment)
        for secret in secrets:
            name: Any = getattr(secret, "name", None)
            if name in names:
                self.problem("secrets", name, "a variable that is given once, in environment or by one secret")
            names.append(name)

    def secrets(self, value: object) -> tuple[Secret, ...]:
        if value is None:
            return ()
        if not isinstance(value, Iterable) or isinstance(value, (str, bytes, Secret)):
            self.problem("secrets", value, 'a list of Secret("DB_PASSWORD", secret="db", key="password")')
            return ()
        made = tuple(value)
        for item in made:
            if not isinstance(item, Secret):
                self.problem("secrets", item, 'Secret("DB_PASSWORD", secret="db", key="password")')
                continue
            rules: tuple[tuple[str, Any, str, str], ...] = (
                ("secret name", item.name, _VARIABLE, "the name of an environment variable"),
                (
                    "secret",
                    item.secret,
                    pods.OBJECT_NAME,
                    "the name of a Secret: lower case letters, digits, - and ., at most 253",
                ),
                ("secret key", item.key, pods.DATA_KEY, "a key of a Secret: letters, digits, -, _ and ., at most 253"),
            )
            for name, text, pattern, expected in rules:
                if not isinstance(text, str) or not re.fullmatch(pattern, text):
                    self.problem(name, text, expected)
            self.reserved("secret name", item.name)
        return made


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < float("inf")


def _decimals(value: int | float) -> str:
    """A factor as the resource has it: `2`, `1.5`."""
    return f"{value:.3f}".rstrip("0").rstrip(".")


def _is_quantity(value: object) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, (int, float)):
        return 0 <= value < float("inf")
    from alula_api.contract import quantities

    return isinstance(value, str) and quantities.amount(value) is not None


def _quantity_hint(value: object) -> str:
    from alula_api.contract import quantities

    if isinstance(value, list):
        return "a pair is a tuple: (request, limit)"
    match = re.fullmatch(r"\s*([0-9.]+)\s*([KMGTkmgt]?)(i?)[Bb]?\s*", str(value))
    if match is None:
        return ""
    number, unit, binary = match.groups()
    right = f"{number}{unit.upper() if binary or unit in 'MGTmgt' else unit.lower()}{binary}"
    return f'write "{right}"' if quantities.amount(right) is not None else ""


def check(
    given: Mapping[str, Any], source: str, subject: str, *, partial: bool = False
) -> tuple[TaskOptions, list[Diagnostic]]:
    """Options as the decorator got them to checked ones, with all that is wrong with them.

    Args:
        given: The options.
        source: Where they stand.
        subject: What messages call the task.
        partial: Whether these are some of a task's options only, so that they are not looked at together.
    """
    checking = _Check(source, subject)
    names = TaskOptions._fields
    for name in given:
        if name in names:
            continue
        from alula.interfaces import flyte_names

        hint = did_you_mean(name, [*names, "name"], f"the options are name, {', '.join(names)}", "{}=".format)
        hint = flyte_names.option("task", name) or hint
        message = f"a task has no option {name!r}"
        checking.problems.append(Diagnostic(Code.BAD_OPTION, message, source, subject, hint=hint))
    timeout = given.get("timeout")
    checks: dict[str, Callable[[Any], Any]] = {name: getattr(checking, name) for name in names if name != "timeout"}
    made = {name: convert(given[name]) for name, convert in checks.items() if name in given}
    checking.variables(made.get("environment", {}), made.get("secrets", ()))
    made["timeout"] = None if timeout is None else checking.timeout(timeout)
    chosen = TaskOptions(**made)
    if not partial:
        checking.growth(chosen)
    return chosen, checking.problems


def check_together(chosen: TaskOptions, source: str, subject: str) -> list[Diagnostic]:
    """What is wrong with options that are right each by itself: those of a call with overrides."""
    checking = _Check(source, subject)
    checking.growth(chosen)
    return checking.problems
