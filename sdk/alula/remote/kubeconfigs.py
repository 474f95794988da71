"""Who the user is and where the cluster lies, as the kubeconfig says; inside a pod without one, its ServiceAccount.

Called by `connections`. What a kubeconfig holds is secret: no message of the kubernetes client is passed on with the
values that it quotes.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alula.remote.refusals import RemoteError, refusal
from alula_api.contract import diagnostics

if TYPE_CHECKING:
    from kubernetes.client import Configuration

DEFAULT = "~/.kube/config"
TOKEN = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
"""Where a pod finds the credentials of its ServiceAccount."""

_VALUES = re.compile(r"\{.*", re.DOTALL)


def load(context: str = "") -> Configuration:
    """The client's configuration for a context; empty for the current one.

    Raises:
        RemoteError: there is no kubeconfig, it cannot be read, or it has no such context; or logging in failed.
    """
    try:
        from kubernetes import client, config
    except ImportError as error:
        message = "running on a cluster needs the kubernetes client"
        raise refusal(message, hint="pip install 'alula[remote]'") from error
    named = os.environ.get("KUBECONFIG") or DEFAULT
    paths = [Path(each).expanduser() for each in named.split(os.pathsep) if each]
    present = [path for path in paths if path.exists()]
    configuration = client.Configuration()
    if not present and not context and os.environ.get("KUBERNETES_SERVICE_HOST") and TOKEN.exists():
        config.load_incluster_config(client_configuration=configuration)
        return configuration
    if not present:
        hint = "log in to the cluster as its owners say, or set KUBECONFIG"
        raise refusal(f"there is no kubeconfig at {named}", hint)
    chosen = _context(present, context)
    joined = os.pathsep.join(map(str, present))
    try:
        with logging_in():
            config.load_kube_config(joined, context=chosen, client_configuration=configuration)
    except RemoteError:
        raise
    except Exception as error:  # the client raises whatever a malformed file leads to
        hint = f"compare it with `kubectl config view`; it was read from {joined}"
        raise refusal(f"the kubeconfig cannot be used: {_discreet(error)}", hint) from None
    return configuration


@contextlib.contextmanager
def logging_in() -> Iterator[None]:
    """While this is open, a login command of the kubeconfig that fails raises; the client only logs that it did.

    Raises:
        RemoteError: on leaving, with what the command said.
    """
    heard = _Listener()
    logger = logging.getLogger()
    logger.addHandler(heard)
    try:
        yield
    finally:
        logger.removeHandler(heard)
    if heard.told:
        hint = "run `kubectl get --raw /version` to see it fail by itself, and log in anew"
        raise refusal(f"the login command of the kubeconfig failed: {heard.told[-1]}", hint)


class _Listener(logging.Handler):
    """Keeps what the client's kubeconfig reader logs as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.pathname.endswith(("kube_config.py", "exec_provider.py")):
            self.told.append(_VALUES.sub("…", record.getMessage())[:500])


def _context(files: list[Path], wanted: str) -> str:
    """The context to use: the one asked for, else the first that a file calls current, as kubectl has it."""
    documents = [_document(file) for file in files]
    known = [str(each.get("name")) for document in documents for each in _maps(document.get("contexts"))]
    listed = ", ".join(known) or "none"
    chosen = wanted or next((str(each["current-context"]) for each in documents if each.get("current-context")), "")
    if not chosen:
        raise refusal("the kubeconfig says no current context", f"name one by --context: there are {listed}")
    if chosen not in known:
        hint = diagnostics.did_you_mean(chosen, known, f"there are {listed}", str)
        raise refusal(f"the kubeconfig has no context {chosen!r}", hint)
    return chosen


def _document(file: Path) -> Mapping[str, Any]:
    import yaml

    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise refusal(f"the kubeconfig {file} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark is not None else ""
        raise refusal(f"the kubeconfig {file} is not YAML{line}") from None
    if not isinstance(found, dict):
        raise refusal(f"the kubeconfig {file} must be a map, not {type(found).__name__}")
    return found


def _maps(items: Any) -> list[Mapping[str, Any]]:
    return [each for each in items if isinstance(each, dict)] if isinstance(items, list) else []


def _discreet(error: Exception) -> str:
    """What the client says without what it quotes: it puts whole users, tokens included, into its messages."""
    said = _VALUES.sub("…", str(error)).strip() or "it is malformed"
    return said if type(error).__name__ == "ConfigException" else f"{type(error).__name__}: {said}"[:200]
