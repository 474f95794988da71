"""The API server as the user's kubeconfig names it: the few calls that a run needs.

Called by `alula.remote.runs`. Turns every refusal into a `RemoteError` that says which call was refused and why.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from alula import errors
from alula_api.contract import codes, diagnostics

if TYPE_CHECKING:
    from alula_api.contract.values import Json

OURS, ARGO = "alula.dev/v1alpha1", "argoproj.io/v1alpha1"


class RemoteError(errors.UserError):
    """The cluster cannot be reached, or refused what was asked of it."""


class Connection:
    """One namespace of the cluster that a kubeconfig context names."""

    def __init__(self, context: str = "", namespace: str = "") -> None:
        """Read the kubeconfig.

        Raises:
            RemoteError: no kubeconfig, no such context, or the extra `alula[remote]` is not installed.
        """
        try:
            from kubernetes import client, config
        except ImportError as error:
            raise refusal(
                "running on a cluster needs the kubernetes client", hint="pip install 'alula[remote]'"
            ) from error
        try:
            config.load_kube_config(context=context or None)
        except config.ConfigException as error:
            raise refusal(f"the kubeconfig cannot be used: {error}", hint="check KUBECONFIG and --context") from error
        self._client = client.ApiClient()
        self.namespace = namespace

    def definition(self, plural: str, name: str) -> dict[str, Any] | None:
        """A Workflow or LaunchPlan of ours, or None when there is none of that name."""
        return self._call("GET", f"/apis/{OURS}/namespaces/{self.namespace}/{plural}/{name}", missing_is_none=True)

    def names(self, plural: str) -> list[str]:
        """The names of our resources of one kind."""
        found = self._call("GET", f"/apis/{OURS}/namespaces/{self.namespace}/{plural}")
        return [item["metadata"]["name"] for item in (found or {}).get("items", [])]

    def start(self, manifest: dict[str, Json]) -> dict[str, Any]:
        """Create a run."""
        created = self._call("POST", f"/apis/{ARGO}/namespaces/{self.namespace}/workflows", manifest)
        assert created is not None
        return created

    def run(self, name: str) -> dict[str, Any] | None:
        """A run as it stands now, or None when it is gone."""
        return self._call("GET", f"/apis/{ARGO}/namespaces/{self.namespace}/workflows/{name}", missing_is_none=True)

    def _call(
        self, method: str, path: str, body: dict[str, Json] | None = None, *, missing_is_none: bool = False
    ) -> dict[str, Any] | None:
        from kubernetes.client.exceptions import ApiException
        from urllib3.exceptions import HTTPError

        try:
            answer = self._client.call_api(
                method,
                self._client.configuration.host + path,
                header_params={"Accept": "application/json", "Content-Type": "application/json", **self._login()},
                body=body,
                _request_timeout=30,
            )
            text = answer.read()
            if not 200 <= answer.status < 300:
                raise ApiException(status=answer.status, reason=_reason(text))
        except ApiException as error:
            if error.status == 404 and missing_is_none:
                return None
            raise refusal(f"the cluster refused {method} {path}: {error.status} {error.reason}") from error
        except HTTPError as error:
            where = self._client.configuration.host
            raise refusal(f"the cluster at {where} does not answer", hint="check --context and your network") from error
        parsed: dict[str, Any] = json.loads(text)
        return parsed

    def _login(self) -> dict[str, str]:
        token = self._client.configuration.get_api_key_with_prefix("authorization") or (
            self._client.configuration.get_api_key_with_prefix("BearerToken")
        )
        return {"Authorization": token} if token else {}


def _reason(text: bytes) -> str:
    try:
        return str(json.loads(text).get("message", ""))
    except (ValueError, AttributeError):
        return text.decode("utf-8", "replace")[:200]


def refusal(message: str, hint: str = "", code: codes.Code = codes.Code.CLUSTER) -> RemoteError:
    """An error with one problem."""
    return RemoteError([diagnostics.Diagnostic(code, message, hint=hint)])
