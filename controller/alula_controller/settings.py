"""What an installation decides: read once from the environment by `__main__`, then passed on as one frozen value.

Nothing else in the package reads the environment (the object store's own credentials excepted, which its client reads).
"""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field

from alula_api.contract import log_lines, names
from alula_controller.notices.hosts import Allowed


@dataclass(frozen=True)
class Root:
    """A place of the installation in which domains keep their data: `<url>/<project>/<domain>`."""

    name: str
    url: str
    endpoint: str = ""


@dataclass(frozen=True)
class Variable:
    """An environment variable: its name, its default as text, and what it means."""

    name: str
    default: str
    sentence: str


VARIABLES = (
    Variable(
        "ALULA_ROOTS", "", 'The roots of storage: one URL, or JSON {"name": {"url": "s3://...", "endpoint": ""}}.'
    ),
    Variable("ALULA_DEFAULT_ROOT", "", "The root of domains that name none; may be left out when there is one root."),
    Variable(
        "ALULA_NAMESPACES", "", "The namespaces to serve, comma-separated; empty or `*` means all of the cluster."
    ),
    Variable("ALULA_LEASE", "alula-controller", "The name of the Lease whose holder acts; empty for none."),
    Variable("ALULA_LEASE_SECONDS", "15", "How long a holder that is gone keeps the others waiting."),
    Variable("ALULA_NAMESPACE", "alula-system", "The namespace of the controller itself, in which the Lease lies."),
    Variable("ALULA_IDENTITY", "", "The holder's name in the Lease; the host's (the pod's) name when empty."),
    Variable("ALULA_PORT", "8080", "The port of /metrics, /healthz and /readyz; 0 for any free one."),
    Variable("ALULA_LOG_FORMAT", "json", "`json` or `text`."),
    Variable("ALULA_POD_LOG_FORMAT", "text", "Of alula's own lines in the logs of tasks: `json` or `text`."),
    Variable("ALULA_LOG_LEVEL", "info", "`debug`, `info`, `warning` or `error`. Bodies are not logged at any level."),
    Variable("ALULA_RESYNC_SECONDS", "300", "How often all definitions are listed and compared with what was seen."),
    Variable("ALULA_WORKERS", "8", "How many definitions are worked on at a time, and how many runs of one namespace."),
    Variable("ALULA_FILL_SECONDS", "10", "How long a run may wait for the lookups of its cached nodes."),
    Variable("ALULA_FILL_LOOKUPS", "2000", "How many lookups a run may cost."),
    Variable("ALULA_LEAST_INTERVAL", "60", "The shortest interval of a launch plan's schedule, in seconds."),
    Variable(
        "ALULA_TASK_SERVICE_ACCOUNT", "alula-task", "The ServiceAccount of task pods, in every domain's namespace."
    ),
    Variable(
        "ALULA_NOTICE_HOSTS",
        "",
        "The hosts that notices may go to, comma-separated: `hooks.slack.com`, `*.logic.azure.com`,"
        " `smtp.acme.org:587`, unencrypted `http://alerts.monitoring:9093`, `smtp://relay.acme.org:25`; none if empty.",
    ),
    Variable(
        "ALULA_NOTICE_SECRETS",
        "/etc/alula/notices",
        "The folder with the credentials of places, in files named `<namespace>.<place>`.",
    ),
    Variable("ALULA_ARGO_UI", "", "The address of Argo's UI, such as `https://argo.acme.org`, for links in notices."),
)


@dataclass(frozen=True)
class Settings:
    """The installation. The defaults are those of `VARIABLES`."""

    roots: Mapping[str, Root] = field(default_factory=dict)
    default_root: str = ""
    namespaces: tuple[str, ...] = ()
    lease: str = "alula-controller"
    lease_seconds: float = 15.0
    namespace: str = "alula-system"
    identity: str = ""
    port: int = 8080
    log_format: str = "json"
    log_level: str = "info"
    resync_seconds: float = 300.0
    workers: int = 8
    fill_seconds: float = 10.0
    fill_lookups: int = 2000
    least_interval: int = 60
    pod_log_format: str = "text"
    task_service_account: str = "alula-task"
    notice_hosts: tuple[Allowed, ...] = ()
    notice_secrets: str = "/etc/alula/notices"
    argo_ui: str = ""

    @property
    def scopes(self) -> tuple[str, ...]:
        """The namespaces to list and watch; one empty name stands for the whole cluster."""
        return self.namespaces or ("",)


class SettingsError(Exception):
    """The environment does not make sense; `problems` says all that is wrong with it."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


def from_environment(environment: Mapping[str, str]) -> Settings:
    """The settings in `environment`.

    Raises:
        SettingsError: with every variable that is wrong, not only the first.
    """
    reader = _Reader(environment)
    roots = reader.roots("ALULA_ROOTS")
    settings = Settings(
        roots=roots,
        default_root=reader.default_root("ALULA_DEFAULT_ROOT", roots),
        namespaces=reader.namespaces("ALULA_NAMESPACES"),
        lease=reader.text("ALULA_LEASE"),
        lease_seconds=reader.number("ALULA_LEASE_SECONDS", 1, 3600),
        namespace=reader.text("ALULA_NAMESPACE"),
        identity=reader.text("ALULA_IDENTITY") or socket.gethostname(),
        port=int(reader.number("ALULA_PORT", 0, 65535)),
        log_format=reader.choice("ALULA_LOG_FORMAT", log_lines.FORMATS),
        pod_log_format=reader.choice("ALULA_POD_LOG_FORMAT", log_lines.FORMATS),
        log_level=reader.choice("ALULA_LOG_LEVEL", ("debug", "info", "warning", "error")),
        resync_seconds=reader.number("ALULA_RESYNC_SECONDS", 1, 86400),
        workers=int(reader.number("ALULA_WORKERS", 1, 64)),
        fill_seconds=reader.number("ALULA_FILL_SECONDS", 0, 600),
        fill_lookups=int(reader.number("ALULA_FILL_LOOKUPS", 0, 100_000)),
        least_interval=int(reader.number("ALULA_LEAST_INTERVAL", 1, 86400)),
        task_service_account=reader.text("ALULA_TASK_SERVICE_ACCOUNT"),
        notice_hosts=reader.hosts("ALULA_NOTICE_HOSTS"),
        notice_secrets=reader.text("ALULA_NOTICE_SECRETS"),
        argo_ui=reader.address("ALULA_ARGO_UI"),
    )
    if reader.problems:
        raise SettingsError(reader.problems)
    return settings


class _Reader:
    """Reads variables and collects what is wrong with them."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._defaults = {variable.name: variable.default for variable in VARIABLES}
        self.problems: list[str] = []

    def text(self, name: str) -> str:
        return self._environment.get(name, self._defaults[name]).strip()

    def number(self, name: str, least: float, most: float) -> float:
        text = self.text(name)
        try:
            number = float(text)
        except ValueError:
            number = float("nan")
        if not least <= number <= most:
            self.problems.append(f"{name} must be a number from {least:g} to {most:g}, not {text!r}")
            return least
        return number

    def choice(self, name: str, allowed: tuple[str, ...]) -> str:
        text = self.text(name).lower()
        if text not in allowed:
            self.problems.append(f"{name} must be one of {', '.join(allowed)}, not {text!r}")
        return text

    def namespaces(self, name: str) -> tuple[str, ...]:
        text = self.text(name)
        found = tuple(sorted({part.strip() for part in text.split(",") if part.strip()}))
        if found == ("*",):
            return ()
        wrong = [part for part in found if not names.is_dns_label(part)]
        if wrong:
            self.problems.append(f"{name} must hold names of namespaces, comma-separated, not {', '.join(wrong)}")
        return found

    def hosts(self, name: str) -> tuple[Allowed, ...]:
        found = []
        for part in filter(None, (each.strip() for each in self.text(name).split(","))):
            try:
                found.append(Allowed.of(part))
            except ValueError as error:
                self.problems.append(f"{name}: {error}")
        return tuple(found)

    def address(self, name: str) -> str:
        text = self.text(name).rstrip("/")
        if text and not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", text):
            self.problems.append(f"{name} must be an address such as https://argo.acme.org, not {text!r}")
        return text

    def roots(self, name: str) -> Mapping[str, Root]:
        text = self.text(name)
        if not text:
            self.problems.append(f"{name} must name at least one root of storage, such as s3://bucket/prefix")
            return {}
        if not text.startswith("{"):
            return {"default": Root("default", text.rstrip("/"))}
        try:
            listed = json.loads(text)
        except ValueError as error:
            self.problems.append(f"{name} must be one URL or a JSON object: {error}")
            return {}
        return {key: self._root(name, key, value) for key, value in listed.items()}

    def _root(self, variable: str, key: str, value: object) -> Root:
        if isinstance(value, str):
            value = {"url": value}
        url = value.get("url") if isinstance(value, dict) else None
        endpoint = value.get("endpoint", "") if isinstance(value, dict) else None
        if not isinstance(url, str) or not url or not isinstance(endpoint, str):
            self.problems.append(f'{variable}: root {key!r} must be {{"url": "s3://...", "endpoint": "https://..."}}')
            return Root(key, "")
        return Root(key, url.rstrip("/"), endpoint)

    def default_root(self, name: str, roots: Mapping[str, Root]) -> str:
        named = self.text(name)
        if named and named in roots:
            return named
        if named:
            self.problems.append(f"{name} must be one of {', '.join(sorted(roots)) or 'the roots'}, not {named!r}")
            return ""
        if len(roots) == 1 or "default" in roots:
            return "default" if "default" in roots else next(iter(roots))
        if roots:
            self.problems.append(f"{name} must say which of {', '.join(sorted(roots))} is the default root")
        return ""
