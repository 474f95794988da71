"""The API server as the user's kubeconfig names it: the few calls that a run needs.

Called by `definitions`, `runs` and the command line. Every refusal becomes a `RemoteError` that says what was asked and
why it was refused; nothing is tried again here but a login that ran out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alula.remote import kubeconfigs
from alula.remote.refusals import RemoteError, refusal, unanswered
from alula_api.contract import labels
from alula_api.contract.names import API_VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alula_api.contract.values import Json

OURS, ARGO = API_VERSION, "argoproj.io/v1alpha1"
KINDS = {"workflows": "workflow", "launchplans": "launch plan"}
"""What the plurals of our definitions are called in messages."""

CONNECT_SECONDS, READ_SECONDS = 10.0, 30.0
METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
"""The form of a list without specs and statuses."""
PATIENCE = frozenset({408, 429, 500, 502, 503, 504})
"""Answers that say nothing about the request itself."""


@dataclass(frozen=True)
class _Call:
    """One request in the namespace: what it is for, in words, and what it sends."""

    what: str
    method: str
    group: str
    path: str
    names: Mapping[str, str]
    body: Mapping[str, Json] | None = None
    query: tuple[tuple[str, str], ...] = ()
    accept: str = "application/json"
    content: str = "application/json"


class Connection:
    """One namespace of the cluster that a kubeconfig context names.

    Raises:
        RemoteError: no kubeconfig, no such context, or the extra `alula[remote]` is not installed.
    """

    def __init__(self, context: str = "", namespace: str = "") -> None:
        self.context = context
        self.namespace = namespace
        self._client = self._log_in()

    def close(self) -> None:
        """Give up the connection."""
        self._client.close()

    @property
    def server(self) -> str:
        """The address of the API server, without a password that may stand in it."""
        scheme, _, rest = str(self._client.configuration.host).rpartition("://")
        place = rest.partition("/")[0].rpartition("@")[2]
        return f"{scheme}://{place}" if scheme else place

    def definition(self, plural: str, name: str) -> dict[str, Any] | None:
        """A Workflow or LaunchPlan of ours, or None when there is none of that name."""
        return self._read(f"read {KINDS[plural]} {name}", OURS, f"{plural}/{{name}}", name=name)

    def revision(self, name: str) -> dict[str, Any] | None:
        """The WorkflowRevision of a name, or None when it is gone."""
        return self._read(f"read revision {name}", OURS, "workflowrevisions/{name}", name=name)

    def names(self, plural: str) -> list[str] | None:
        """The names of our resources of one kind; None when the cluster does not know the kind."""
        found = self._read(f"list {KINDS[plural]}s", OURS, plural)
        return None if found is None else [item["metadata"]["name"] for item in found.get("items", [])]

    def definitions(self, plural: str) -> list[dict[str, Any]]:
        """Our resources of one kind, whole.

        Raises:
            RemoteError: the cluster does not know the kind, or refuses.
        """
        found = self._read(f"list {KINDS[plural]}s", OURS, plural)
        if found is None:
            message = f"the cluster of {self.server} does not know {KINDS[plural]}s of {OURS}"
            raise refusal(message, "install the CRDs: kubectl apply --server-side -k crds")
        return list(found.get("items", []))

    def runs(self) -> list[dict[str, Any]]:
        """The metadata of all runs that follow a revision of ours."""
        call = _Call("list runs", "GET", ARGO, "workflows", {}, None, (("labelSelector", labels.REVISION),), METADATA)
        status, text = self._answer(call)
        return [] if status == 404 else list(self._parsed(call, status, text).get("items", []))

    def application(self, namespace: str, name: str) -> dict[str, Any] | None:
        """Argo CD's Application of a name; None where there is none, or this user may not read it."""
        route, names = "applications/{name}", {"namespace": namespace, "name": name}
        try:
            call = _Call(f"read Application {name}", "GET", ARGO, route, names)
            status, text = self._answer(call)
            return None if status == 404 else self._parsed(call, status, text)
        except RemoteError:
            return None

    def store(self) -> str:
        """The prefix under which the domain's data lies; empty where this user may not know."""
        try:
            found = self._read("read the domain", OURS, "domains/domain")
        except RemoteError:
            return ""
        return str(((found or {}).get("status") or {}).get("store") or "")

    def start(self, manifest: Mapping[str, Json]) -> dict[str, Any]:
        """Create a run."""
        call = _Call(f"start a run in namespace {self.namespace}", "POST", ARGO, "workflows", {}, manifest)
        return self._parsed(call, *self._answer(call))

    def make(self, manifest: Mapping[str, Json]) -> bool:
        """Create a run of a name of its own; False, and nothing happens, where there is one of that name."""
        call = _Call(f"start a run in namespace {self.namespace}", "POST", ARGO, "workflows", {}, manifest)
        status, text = self._answer(call)
        if status != 409:
            self._parsed(call, status, text)
        return status != 409

    def run(self, name: str) -> dict[str, Any] | None:
        """A run as it stands now, or None when it is gone."""
        return self._read(f"read run {name}", ARGO, "workflows/{name}", name=name)

    def domain(self) -> dict[str, Any] | None:
        """The namespace's Domain, or None when there is none."""
        return self._read("read the domain", OURS, "domains/domain")

    def metadata(self, what: str, plural: str, selector: str) -> list[dict[str, Any]]:
        """The metadata of Argo's objects of one kind that fit a label selector."""
        query = (("labelSelector", selector),)
        call = _Call(f"list {what}", "GET", ARGO, plural, {}, query=query, accept=METADATA)
        return [item["metadata"] for item in self._parsed(call, *self._answer(call)).get("items") or ()]

    def annotate(self, name: str, uid: str, annotations: Mapping[str, str]) -> None:
        """Set annotations of the run with this name and uid."""
        patch: dict[str, Json] = {"metadata": {"uid": uid, "annotations": dict(annotations)}}
        content = "application/merge-patch+json"
        call = _Call(f"annotate run {name}", "PATCH", ARGO, "workflows/{name}", {"name": name}, patch, content=content)
        self._parsed(call, *self._answer(call))

    def _read(self, what: str, group: str, path: str, **names: str) -> dict[str, Any] | None:
        call = _Call(what, "GET", group, path, names)
        status, text = self._answer(call)
        return None if status == 404 else self._parsed(call, status, text)

    def _parsed(self, call: _Call, status: int, text: bytes) -> dict[str, Any]:
        if not 200 <= status < 300:
            raise self._refused(call.what, status, text)
        try:
            parsed = json.loads(text)
        except ValueError:
            parsed = None
        if not isinstance(parsed, dict):
            raise refusal(f"{self.server} does not answer as a Kubernetes API server does", "check --context")
        return parsed

    def _answer(self, call: _Call) -> tuple[int, bytes]:
        """The status and the text; logs in anew once where the credentials are not accepted (any more)."""
        status, text = self._exchange(call)
        if status == 401:
            self.close()
            self._client = self._log_in()
            status, text = self._exchange(call)
        return status, text

    def _exchange(self, call: _Call) -> tuple[int, bytes]:
        from kubernetes.client.exceptions import ApiException
        from urllib3.exceptions import HTTPError

        route = f"/apis/{call.group}/namespaces/{{namespace}}/{call.path}"
        names = {"namespace": self.namespace, **call.names}
        header = {"Accept": call.accept, "Content-Type": call.content}
        with kubeconfigs.logging_in():
            request = self._client.param_serialize(
                call.method, route, names, [*call.query], header, call.body, auth_settings=["BearerToken"]
            )
        try:
            answer = self._client.call_api(*request, _request_timeout=(CONNECT_SECONDS, READ_SECONDS))
            return answer.status, answer.read()
        except ApiException as error:  # raised for TLS only: other answers are returned
            why = str(error.reason).rpartition("] ")[2].split("\n")[-1]
            hint = "the kubeconfig's certificate authority must be the cluster's; behind a proxy, check no_proxy"
            raise refusal(f"there is no secure connection to {self.server}: {why}", hint) from error
        except (HTTPError, OSError) as error:
            lost = " (whether it was started is not known)" if call.method == "POST" and not _never_sent(error) else ""
            message = f"the cluster at {self.server} does not answer: {_why(error)}{lost}"
            raise unanswered(message, "check --context, your network and its proxy") from error

    def _refused(self, what: str, status: int, text: bytes) -> RemoteError:
        said = _message(text)
        if status == 401:
            message = f"the cluster at {self.server} does not accept the kubeconfig's credentials"
            return refusal(message, "log in anew; `kubectl auth whoami` shows whom the cluster takes you for")
        if status == 403:
            return refusal(f"you may not {what}: {said}", "ask for the right, or check --context and --namespace")
        if status in PATIENCE:
            return unanswered(f"the cluster could not {what}: {status} {said}")
        return refusal(f"the cluster refused to {what}: {status} {said}")

    def _log_in(self) -> Any:
        configuration = kubeconfigs.load(self.context)
        # urllib3 would try again at once, and log that it does; waiting is up to who calls.
        configuration.retries = False
        from kubernetes import client

        return client.ApiClient(configuration)


def _message(text: bytes) -> str:
    """What an answer says in words."""
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return " ".join(text.decode("utf-8", "replace").split())[:200] or "without a reason"


def _never_sent(error: Exception) -> bool:
    from urllib3 import exceptions

    return isinstance(error, (exceptions.NewConnectionError, exceptions.ConnectTimeoutError, exceptions.ProxyError))


def _why(error: Exception) -> str:
    from urllib3 import exceptions

    if isinstance(error, exceptions.NameResolutionError):
        return "its name is not known here"
    if not isinstance(error, exceptions.NewConnectionError):  # refused, which counts as a timeout of connecting
        if isinstance(error, exceptions.ConnectTimeoutError):
            return f"no connection within {CONNECT_SECONDS:.0f} s"
        if isinstance(error, exceptions.TimeoutError):
            return f"no answer within {READ_SECONDS:.0f} s"
    # urllib3 says `HTTPConnection(host=..., port=...): Failed to establish a new connection: [Errno 111] ...`
    said = str(error).rpartition(": ")[2].rpartition("] ")[2].strip("()'\" ")
    return said[:1].lower() + said[1:] or type(error).__name__
