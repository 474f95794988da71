"""What a pod's main container asks for, worked out as a kubelet would; pure.

`launch()` turns a pod, and the Secrets and ConfigMaps it names, into what `launch` runs. Argo has
rewritten the command to `argoexec emissary ... -- <command>`; its arguments may have moved to a
ConfigMap of the pod's name.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime
import json
import pathlib
import re
from collections.abc import Mapping
from typing import Any

Object = dict[str, Any]

TEMPLATE_KEY = "ARGO_TEMPLATE"
ARGUMENTS_KEY = "ARGO_CONTAINER_ARGS_FILE"
OFFLOADED = "offloaded"
# On a real node these lie in the container's /tmp, which process pods share with the machine.
ARGUMENTS_FOLDER = "/run/argo-arguments"
NODE_ID = "workflows.argoproj.io/node-id"
NODE_NAME = "workflows.argoproj.io/node-name"
WORKFLOW = "workflows.argoproj.io/workflow"

_MAX_ARGUMENT = 128 * 1024
_ARGO_VOLUMES = ("var-run-argo", "tmp-dir-argo", "argo-env-config")


def account(pod: Object) -> str:
    """The user that the pod is to the API server."""
    return f"system:serviceaccount:{pod['metadata']['namespace']}:{pod['spec'].get('serviceAccountName') or 'default'}"


class BadPod(Exception):
    """The pod cannot run here; the message becomes its status."""


@dataclasses.dataclass(frozen=True)
class Sources:
    """Data of the namespace's ConfigMaps and Secrets that the pod refers to, decoded."""

    config_maps: Mapping[str, Mapping[str, str]] = dataclasses.field(default_factory=dict)
    secrets: Mapping[str, Mapping[str, str]] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Mount:
    """A folder of the pod's own that appears at `target`; `files` are put there first."""

    folder: str
    target: str
    files: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Launch:
    """All that is needed to run a container; `files` are to be at their paths."""

    argv: list[str]
    files: dict[str, str]
    env: dict[str, str]
    cwd: str | None
    mounts: list[Mount]
    termination_path: str
    message_from_log: bool
    collect_stdout: bool
    outputs: list[Object]
    deadline: float | None
    argo_deadline: float | None


def main_container(pod: Object) -> Object:
    for container in pod["spec"]["containers"]:
        if container["name"] == "main":
            found: Object = container
            return found
    raise BadPod("process pods run templates with one container, named main")


def references(pod: Object) -> tuple[set[str], set[str]]:
    """The names of the ConfigMaps and Secrets that `launch` needs."""
    container = main_container(pod)
    config_maps, secrets = set(), set()
    for variable in container.get("env", []):
        source = variable.get("valueFrom", {})
        config_maps.add(source.get("configMapKeyRef", {}).get("name"))
        secrets.add(source.get("secretKeyRef", {}).get("name"))
    for source in container.get("envFrom", []):
        config_maps.add(source.get("configMapRef", {}).get("name"))
        secrets.add(source.get("secretRef", {}).get("name"))
    for volume in pod["spec"].get("volumes", []):
        config_maps.add(volume.get("configMap", {}).get("name"))
        secrets.add(volume.get("secret", {}).get("secretName"))
    return config_maps - {None}, secrets - {None}


def decode_secret(secret: Object) -> dict[str, str]:
    data = secret.get("data") or {}
    return {key: base64.b64decode(text).decode(errors="surrogateescape") for key, text in data.items()}


def launch(pod: Object, sources: Sources, base: Mapping[str, str], extra: Mapping[str, str]) -> Launch:
    """Everything needed to run the pod's main container.

    Args:
        pod: as the API server has it.
        sources: what its references point at.
        base: variables that stand below the container's own, as an image's would.
        extra: variables that the harness adds for the container's image, likewise below.

    Raises:
        BadPod: a reference points nowhere, or the pod needs what process pods do not have.
    """
    container = main_container(pod)
    offloaded = sources.config_maps.get(pod["metadata"]["name"], {})
    env = environment(pod, container, sources, {**base, **extra})
    template = _template(pod, offloaded)
    argv = _command(container, env, offloaded)
    files: dict[str, str] = {}
    if ARGUMENTS_KEY in env:
        argv, files = _file_long(argv)
    return Launch(
        argv=argv,
        files=files,
        env=env,
        cwd=container.get("workingDir"),
        mounts=mounts(pod, container, sources),
        termination_path=container.get("terminationMessagePath") or "/dev/termination-log",
        message_from_log=container.get("terminationMessagePolicy") == "FallbackToLogsOnError",
        collect_stdout=env.get("ARGO_INCLUDE_SCRIPT_OUTPUT") == "true",
        outputs=[
            parameter
            for parameter in template.get("outputs", {}).get("parameters", [])
            if "path" in parameter.get("valueFrom", {})
        ],
        deadline=pod["spec"].get("activeDeadlineSeconds"),
        argo_deadline=_moment(env.get("ARGO_DEADLINE", "")),
    )


def _moment(text: str) -> float | None:
    """Argo's deadline of a step in seconds since 1970; Go's zero time stands for none."""
    if not text or text.startswith("0001-"):
        return None
    return datetime.datetime.fromisoformat(text).timestamp()


def _command(container: Object, env: Mapping[str, str], offloaded: Mapping[str, str]) -> list[str]:
    """The command that Argo's emissary runs; what comes from its file no kubelet has expanded."""
    command = list(container.get("command", []))
    if "--" not in command:
        raise BadPod(f"not a command that Argo's emissary runs: {' '.join(command)[:200]}")
    written = [*command[command.index("--") + 1 :], *container.get("args", [])]
    filed = json.loads(offloaded[ARGUMENTS_KEY]) if ARGUMENTS_KEY in env else []
    return [*(expand(argument, env) for argument in written), *filed]


def _file_long(argv: list[str]) -> tuple[list[str], dict[str, str]]:
    """Arguments too long for the kernel, replaced by `@` and a file as the emissary does."""
    files = {
        f"{ARGUMENTS_FOLDER}/argo_arg_{index}.txt": argument
        for index, argument in enumerate(argv[1:])
        if len(argument.encode()) > _MAX_ARGUMENT
    }
    names = {argument: f"@{path}" for path, argument in files.items()}
    return [names.get(argument, argument) for argument in argv], files


def _template(pod: Object, offloaded: Mapping[str, str]) -> Object:
    """The Argo template that the pod was made from: only Argo's own containers carry it."""
    spec = pod["spec"]
    for container in [*spec.get("initContainers", []), *spec["containers"]]:
        for variable in container.get("env", []):
            if variable["name"] == TEMPLATE_KEY:
                text = variable.get("value", "{}")
                found: Object = json.loads(offloaded[TEMPLATE_KEY] if text == OFFLOADED else text)
                return found
    raise BadPod("no container of the pod carries its Argo template")


def environment(pod: Object, container: Object, sources: Sources, base: Mapping[str, str]) -> dict[str, str]:
    """The container's variables over `base`, references resolved and `$(NAME)` expanded."""
    env = dict(base)
    for source in container.get("envFrom", []):
        prefix = source.get("prefix", "")
        for key, known in (("configMapRef", sources.config_maps), ("secretRef", sources.secrets)):
            if key in source:
                data = _found(known, source[key], source[key])
                env.update({prefix + name: value for name, value in (data or {}).items()})
    for variable in container.get("env", []):
        value = _value(pod, variable, sources, env)
        if value is not None:
            env[variable["name"]] = value
    return env


def _value(pod: Object, variable: Object, sources: Sources, env: Mapping[str, str]) -> str | None:
    source = variable.get("valueFrom")
    if source is None:
        return expand(variable.get("value", ""), env)
    for key, known in (
        ("configMapKeyRef", sources.config_maps),
        ("secretKeyRef", sources.secrets),
    ):
        if key in source:
            reference = source[key]
            data = _found(known, reference, reference)
            if data is None:
                return None
            if reference["key"] not in data and not reference.get("optional"):
                raise BadPod(f"couldn't find key {reference['key']} in {reference['name']}")
            return data.get(reference["key"])
    if "fieldRef" in source:
        return _field(pod, source["fieldRef"]["fieldPath"])
    if "resourceFieldRef" in source:
        reference = source["resourceFieldRef"]
        kind, _, resource = reference["resource"].partition(".")
        resources = main_container(pod).get("resources", {})
        return str(quantity(resources.get(kind, {}).get(resource, "0"), reference.get("divisor")))
    raise BadPod(f"variable {variable['name']}: unknown source {sorted(source)}")


def _found(known: Mapping[str, Mapping[str, str]], reference: Object, options: Object) -> Mapping[str, str] | None:
    data = known.get(reference["name"])
    if data is None and not options.get("optional"):
        raise BadPod(f'"{reference["name"]}" not found')
    return data


def _field(pod: Object, path: str) -> str:
    keyed = re.fullmatch(r"metadata\.(labels|annotations)\['(.+)'\]", path)
    if keyed:
        return str(pod["metadata"].get(keyed[1], {}).get(keyed[2], ""))
    fields = {
        "metadata.name": pod["metadata"]["name"],
        "metadata.namespace": pod["metadata"]["namespace"],
        "metadata.uid": pod["metadata"]["uid"],
        "spec.serviceAccountName": pod["spec"].get("serviceAccountName", ""),
        "spec.nodeName": "process-pods",
        "status.podIP": "10.89.0.1",
        "status.hostIP": "10.89.0.1",
    }
    if path not in fields:
        raise BadPod(f"field {path} is not known to process pods")
    return str(fields[path])


_UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_UNITS |= {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}


def amount(text: str) -> float:
    """A Kubernetes quantity as a number: cores, bytes."""
    match = re.fullmatch(r"([0-9.]+)(m|k|[MGT]i?|Ki)?", text)
    if match is None:
        raise BadPod(f"not a quantity: {text}")
    unit = match[2] or ""
    return float(match[1]) / 1000 if unit == "m" else float(match[1]) * _UNITS[unit]


def quantity(text: str, divisor: str | None = None) -> int:
    """A quantity as an integer, rounded up after division, as `resourceFieldRef` gives it."""
    return int(-(-amount(text) // amount(divisor or "1")))


def expand(text: str, env: Mapping[str, str]) -> str:
    """Kubernetes' own expansion: `$(NAME)` where NAME is set, `$$` to `$`, all else untouched."""

    def replacement(match: re.Match[str]) -> str:
        return "$" if match[1] == "$" else env.get(match[2], match[0])

    return re.sub(r"\$(\$|\(([^)]*)\))", replacement, text)


def mounts(pod: Object, container: Object, sources: Sources) -> list[Mount]:
    """The container's mounts of folders, Secrets and ConfigMaps; other volumes are left out."""
    volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes", [])}
    found = []
    for mount in container.get("volumeMounts", []):
        name = mount["name"]
        volume = volumes.get(name, {})
        if name in _ARGO_VOLUMES:
            continue
        files: Mapping[str, str] | None = {}
        if "configMap" in volume:
            reference = volume["configMap"]
            files = _found(sources.config_maps, reference, reference)
        elif "secret" in volume:
            reference = volume["secret"]
            named = {"name": reference["secretName"]}
            files = _found(sources.secrets, named, reference)
        elif "emptyDir" not in volume:
            continue
        folder = str(pathlib.PurePosixPath(name) / mount.get("subPath", ""))
        found.append(Mount(folder, mount["mountPath"], files or {}))
    return found
