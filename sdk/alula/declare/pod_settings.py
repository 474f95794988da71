"""What `@task(pod=Pod(...))` takes: where the task's pod runs and what stands in it beside the container's resources.

Called by `options`. A setting has one place and nothing is merged by rules that one must look up: a task's settings are
its own, those of alula stay as they are, and what both would say is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

from alula.interfaces import explained
from alula_api.contract import names, pods

if TYPE_CHECKING:
    from alula_api.contract.graphs import specs

Operator = Literal["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]
Effect = Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]
_LABELS = "labels: at most 63 letters, digits, -, _ and ., the first and last a letter or digit"
_OF_OBJECT = "the name of an object: lower case letters, digits, - and ., the first and last a letter or digit"
_VALUE = r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?"


@explained.explain_options
class Toleration(NamedTuple):
    """A taint of nodes that the pod may run on in spite of.

    Attributes:
        key: Of the taint, as `nvidia.com/gpu`.
        value: Of the taint; None for any.
        effect: Of the taint; None for all.
    """

    key: str
    value: str | None = None
    effect: Effect | None = None


@explained.explain_options
class NodeRule(NamedTuple):
    """What must hold for a label of a node: `NodeRule("topology.kubernetes.io/zone", "In", ["eu-1a", "eu-1b"])`.

    Attributes:
        key: The label.
        operator: `In`, `NotIn`, `Exists`, `DoesNotExist`, `Gt` or `Lt`, as in Kubernetes.
        values: One or more for `In` and `NotIn`, one whole number for `Gt` and `Lt`.
    """

    key: str
    operator: Operator = "Exists"
    values: tuple[str, ...] | list[str] = ()


@explained.explain_options
class Affinity(NamedTuple):
    """Which nodes a pod may run on, by their labels and by the pods that run there.

    Attributes:
        nodes: Rules that all hold.
        preferred_nodes: The more of them hold, the better.
        apart_from: Labels of pods; never where one that has all of them runs.
        preferred_apart_from: The same, where it can be.
        topology_key: The label of nodes that says what is one place: each node by itself unless set.
    """

    nodes: tuple[NodeRule, ...] | list[NodeRule] = ()
    preferred_nodes: tuple[NodeRule, ...] | list[NodeRule] = ()
    apart_from: tuple[Mapping[str, str], ...] | list[Mapping[str, str]] = ()
    preferred_apart_from: tuple[Mapping[str, str], ...] | list[Mapping[str, str]] = ()
    topology_key: str | None = None

    def spelled(self) -> specs.Affinity:
        """As it stands in the resource."""
        from alula_api.contract.graphs import specs

        def rules(given: Iterable[NodeRule]) -> tuple[specs.NodeRule, ...]:
            return tuple(specs.NodeRule(each.key, each.operator, tuple(each.values)) for each in given)

        def peers(given: Iterable[Mapping[str, str]]) -> tuple[specs.Peers, ...]:
            return tuple(specs.Peers(dict(each)) for each in given)

        return specs.Affinity(
            rules(self.nodes),
            rules(self.preferred_nodes),
            peers(self.apart_from),
            peers(self.preferred_apart_from),
            self.topology_key,
        )


@explained.explain_options
class Pod(NamedTuple):
    """Where a task's pod runs, and what stands in it.

    Attributes:
        node_selector: Labels that the node must have.
        tolerations: Taints of nodes that it may run on in spite of.
        priority_class: The PriorityClass.
        service_account: In place of the installation's; it needs the access to the store that that one has.
        labels: Of the pod.
        annotations: Of the pod.
        shared_memory: The size of `/dev/shm`, as `2Gi`; it counts as memory of the container.
        secrets: Secrets of the namespace as files: the folder, and the Secret whose keys are its files.
        claims: PersistentVolumeClaims of the namespace: the folder, and the claim.
        config_maps: ConfigMaps of the namespace as files: the folder, and the ConfigMap whose keys are its files.
        affinity: Rules for the nodes it runs on, and for pods that it does not run beside.
        template: One of the Domain's `podTemplates`: what holds where these settings say nothing.
    """

    node_selector: Mapping[str, str] = {}
    tolerations: tuple[Toleration, ...] | list[Toleration] = ()
    priority_class: str | None = None
    service_account: str | None = None
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}
    shared_memory: str | None = None
    secrets: Mapping[str, str] = {}
    claims: Mapping[str, str] = {}
    config_maps: Mapping[str, str] = {}
    affinity: Affinity | None = None
    template: str | None = None

    def spelled(self) -> specs.Pod:
        """As it stands in the resource."""
        from alula_api.contract.graphs import specs

        return specs.Pod(
            template=self.template,
            affinity=self.affinity.spelled() if self.affinity is not None else None,
            node_selector=dict(self.node_selector),
            tolerations=tuple(specs.Toleration(each.key, each.value, each.effect) for each in self.tolerations),
            priority_class=self.priority_class,
            service_account=self.service_account,
            labels=dict(self.labels),
            annotations=dict(self.annotations),
            shared_memory=self.shared_memory,
            mounts=(
                *(specs.Mount(path, secret=name) for path, name in self.secrets.items()),
                *(specs.Mount(path, claim=name) for path, name in self.claims.items()),
                *(specs.Mount(path, config_map=name) for path, name in self.config_maps.items()),
            ),
        )


class Wrong(NamedTuple):
    """A setting that no pod can have."""

    setting: str
    value: object
    expected: str


def problems(pod: Pod) -> Iterable[Wrong]:
    """What is wrong with the settings."""
    for setting, pattern, expected in (
        ("node_selector", _VALUE, _LABELS),
        ("labels", _VALUE, _LABELS),
        ("annotations", r"(?!.*\{\{)[^\x00-\x1f\x7f]*", "texts of one line without {{, which Argo would evaluate"),
    ):
        yield from _texts(pod, setting, pattern, expected)
    given: Any = pod.tolerations
    listed = given if isinstance(given, (list, tuple)) and not isinstance(given, Toleration) else ("it is no list",)
    for toleration in listed:
        if not isinstance(toleration, Toleration) or not _fits(names.LABEL_KEY, toleration.key):
            shown = toleration if listed is given else given
            yield Wrong("tolerations", shown, '[Toleration("nvidia.com/gpu", effect="NoSchedule")]')
        elif toleration.effect is not None and toleration.effect not in get_args(Effect):
            yield Wrong("tolerations", toleration.effect, f"one of {', '.join(get_args(Effect))}")
        elif toleration.value is not None and not _fits(_VALUE, toleration.value):
            yield Wrong("tolerations", toleration.value, "the value of a taint: letters, digits, -, _ and .")
    for setting in ("priority_class", "service_account"):
        if getattr(pod, setting) is not None and not _fits(pods.OBJECT_NAME, getattr(pod, setting)):
            yield Wrong(setting, getattr(pod, setting), _OF_OBJECT)
    template: Any = pod.template
    if template is not None and not (isinstance(template, str) and names.is_dns_label(template)):
        yield Wrong("template", pod.template, "the name of a pod template of the Domain: lower case letters, digits, -")
    yield from _affinity(pod.affinity)
    if pod.shared_memory is not None and not _is_size(pod.shared_memory):
        yield Wrong("shared_memory", pod.shared_memory, "a size such as 512Mi or 2Gi")
    yield from _folders(pod)


def _texts(pod: Pod, setting: str, pattern: str, expected: str) -> Iterable[Wrong]:
    given: Any = getattr(pod, setting)
    if not isinstance(given, Mapping):
        yield Wrong(setting, given, 'a dict such as {"team": "a"}')
        return
    for key, value in given.items():
        if not _fits(names.LABEL_KEY, key):
            yield Wrong(setting, key, "the name of a label or annotation, as team or example.org/team")
        elif setting != "node_selector" and (reserved := pods.reserved_label(key)):
            yield Wrong(setting, key, f"another name: this one {reserved}")
        elif not _fits(pattern, value):
            yield Wrong(f"{setting} {key}", value, expected)


def _affinity(given: Any) -> Iterable[Wrong]:
    if given is None:
        return
    if not isinstance(given, Affinity):
        yield Wrong("affinity", given, 'Affinity(nodes=[NodeRule("pool", "In", ["gpu"])])')
        return
    for setting in ("nodes", "preferred_nodes"):
        listed: Any = getattr(given, setting)
        if not isinstance(listed, (list, tuple)) or not all(isinstance(each, NodeRule) for each in listed):
            yield Wrong(f"affinity {setting}", listed, '[NodeRule("pool", "In", ["gpu"])]')
            continue
        for rule in listed:
            if not _fits(names.LABEL_KEY, rule.key):
                yield Wrong(f"affinity {setting}", rule.key, "the name of a label, as team or example.org/team")
            elif not isinstance(rule.values, (list, tuple)) or not all(_fits(_VALUE, each) for each in rule.values):
                yield Wrong(f"affinity {setting}", rule.values, f"a list of {_LABELS}")
            elif expected := pods.rule_problem(rule.operator, rule.values):
                yield Wrong(f"affinity {setting}", rule, expected)
    for setting in ("apart_from", "preferred_apart_from"):
        listed = getattr(given, setting)
        if not isinstance(listed, (list, tuple)) or not all(isinstance(each, Mapping) and each for each in listed):
            yield Wrong(f"affinity {setting}", listed, 'a list of labels of pods, as [{"app": "db"}]')
            continue
        for key, value in [pair for each in listed for pair in each.items()]:
            if not _fits(names.LABEL_KEY, key) or not _fits(_VALUE, value):
                yield Wrong(f"affinity {setting}", {key: value}, f"{_LABELS}, as pods have them")
    if given.topology_key is not None and not _fits(names.LABEL_KEY, given.topology_key):
        yield Wrong("affinity topology_key", given.topology_key, "a label of nodes, as topology.kubernetes.io/zone")


def _folders(pod: Pod) -> Iterable[Wrong]:
    seen: dict[str, None] = {}
    fixed: list[str] = []
    for setting in ("secrets", "claims", "config_maps"):
        given: Any = getattr(pod, setting)
        if not isinstance(given, Mapping):
            yield Wrong(setting, given, 'a dict from a folder to a name, as {"/secrets/db": "db"}')
            continue
        for path, name in given.items():
            if reserved := pods.folder_problem(path):
                yield Wrong(setting, path, reserved)
            elif path in seen:
                yield Wrong(setting, path, "a folder that is given once")
            if not _fits(pods.OBJECT_NAME, name):
                yield Wrong(setting, name, _OF_OBJECT)
            seen[path] = None
        if setting != "claims":
            fixed += given
    for path in seen:
        if expected := pods.inside_problem(path, fixed):
            yield Wrong("mounts", path, expected)


def _fits(pattern: str, value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(pattern, value) is not None


def _is_size(value: object) -> bool:
    from alula_api.contract import quantities

    return isinstance(value, str) and value.endswith("i") and (quantities.amount(value) or 0) > 0
