"""An API server in a dictionary: preconditions, apply, subresources and garbage collection as far as the controller
uses them.

It stands where `alula_controller.cluster.Cluster` stands. `die_at(n)` kills the caller at the n-th write, before or
after it took effect, as a SIGKILL would.
"""

from __future__ import annotations

import copy
import re
from collections.abc import AsyncIterator
from typing import Any

from alula_api.contract.labels import REPLACED
from alula_controller.cluster import client, errors, resources

PATH = re.compile(
    r"(?P<root>/api/v1|/apis/.+?/v1(?:alpha1)?)(?:/namespaces/(?P<space>[^/]+))?/(?P<plural>[a-z]+)(?:/(?P<name>[^/]+))?(?P<status>/status)?$"
)
NAMESPACES = re.compile(r"/api/v1/namespaces(?:/(?P<name>[^/]+))?$")


class Killed(BaseException):
    """The process is gone."""


class FakeCluster:
    credentials: Any = None

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str, str, str], dict[str, Any]] = {}
        self.writes: list[tuple[str, str]] = []
        self.version = 0
        self._die: tuple[int, bool] | None = None
        self._applied: dict[Any, Any] = {}
        self.refuse: dict[str, errors.ClusterError] = {}
        self.unavailable = 0  # so many lists are not answered

    # What the test does.

    def put(self, body: dict[str, Any]) -> dict[str, Any]:
        """Anybody's write, not the controller's."""
        resource = resources.of(body)
        metadata = body["metadata"]
        key = (resource.root, resource.plural, metadata.get("namespace", ""), metadata["name"])
        old = self.objects.get(key)
        stored = copy.deepcopy(body)
        stored["metadata"].setdefault("uid", old["metadata"]["uid"] if old else f"uid-{self.version + 1}")
        stored["metadata"].setdefault("creationTimestamp", f"2026-11-22T10:{self.version % 60:02d}:00Z")
        if old and old.get("spec") == stored.get("spec"):
            stored["metadata"]["generation"] = old["metadata"].get("generation", 1)
        else:
            stored["metadata"]["generation"] = (old["metadata"].get("generation", 1) + 1) if old else 1
        if old and "status" in old and "status" not in stored:
            stored["status"] = old["status"]
        self.objects[key] = self._stamped(stored)
        return copy.deepcopy(stored)

    def drop(self, kind: str, namespace: str, name: str) -> None:
        """It is deleted. A run of Argo's is asked for as `Run`."""
        resource = resources.RUNS if kind == "Run" else next(each for each in resources.ALL if each.kind == kind)
        self.objects.pop((resource.root, resource.plural, namespace, name))

    def collect(self) -> None:
        """The garbage collector: what has an owner that is gone goes."""
        while True:
            uids = {body["metadata"]["uid"] for body in self.objects.values()}
            gone = [
                key
                for key, body in self.objects.items()
                if (owners := body["metadata"].get("ownerReferences")) and not any(o["uid"] in uids for o in owners)
            ]
            if not gone:
                return
            for key in gone:
                del self.objects[key]

    def die_at(self, write: int, *, after: bool) -> None:
        self._die = (len(self.writes) + write, after)

    def live(self) -> None:
        self._die = None

    def all(self, kind: str) -> dict[str, dict[str, Any]]:
        return {key[3]: body for key, body in sorted(self.objects.items()) if body["kind"] == kind}

    def state(self) -> dict[Any, Any]:
        """Everything that does not differ between two ways to the same end."""
        kept = copy.deepcopy(self.objects)
        for body in kept.values():
            for part in ("resourceVersion", "creationTimestamp", "uid"):
                body["metadata"].pop(part, None)
            marks = body["metadata"].pop("annotations", None) or {}
            if marks:
                body["metadata"]["annotations"] = {**marks, **({REPLACED: "then"} if REPLACED in marks else {})}
            for condition in (body.get("status") or {}).get("conditions") or ():
                condition.pop("lastTransitionTime")
        return kept

    # What the controller calls.

    async def get(self, path: str, *, metadata_only: bool = False) -> dict[str, Any]:
        key, _ = self._key(path)
        if key not in self.objects:
            raise errors.NotFound(f"{path} not found")
        return copy.deepcopy(self.objects[key])

    async def find(self, path: str, *, metadata_only: bool = False) -> dict[str, Any] | None:
        try:
            return await self.get(path, metadata_only=metadata_only)
        except errors.NotFound:
            return None

    async def pages(self, path: str, **selection: Any) -> AsyncIterator[client.Listing]:
        yield await self.list(path, **selection)

    async def list(
        self, path: str, *, labels: str = "", fields: str = "", metadata_only: bool = False, most: int | None = None
    ) -> client.Listing:
        if self.unavailable:
            self.unavailable -= 1
            raise errors.Unavailable(path)
        (root, plural, space, _), _ = self._key(path)
        found = [
            copy.deepcopy(body)
            for key, body in sorted(self.objects.items())
            if key[:2] == (root, plural) and space in ("", key[2]) and fits(body, labels) and selected(body, fields)
        ][:most]
        for body in found:
            del body["kind"], body["apiVersion"]  # as the real one does for the items of a list
        return client.Listing(tuple(found), str(self.version))

    async def any(self, path: str, *, labels: str) -> bool:
        return bool((await self.list(path, labels=labels)).items)

    async def create(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        (root, plural, space, _), _ = self._key(path)
        key = (root, plural, space, body["metadata"]["name"])

        def write() -> dict[str, Any]:
            if key in self.objects:
                raise errors.Conflict(f"{key} exists", "AlreadyExists")
            self.objects[key] = self._stamped(copy.deepcopy(body), new=True)
            return self.objects[key]

        return self._write("create", f"{plural}/{body['metadata']['name']}", write)

    async def apply(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        key, _ = self._key(path)

        def write() -> dict[str, Any]:
            old = self.objects.get(key)
            uid = body["metadata"].get("uid")
            if uid and (old is None or old["metadata"]["uid"] != uid):
                raise errors.Conflict("uid")
            fresh = copy.deepcopy(body)
            if old is not None:
                kept = {part: old["metadata"][part] for part in ("uid", "creationTimestamp", "generation")}
                kept["generation"] += old.get("spec") != fresh.get("spec")
                fresh["metadata"].update(kept)
                if "status" in old:
                    fresh["status"] = old["status"]
                fresh["spec"] = applied(old.get("spec"), self._applied.get(key), fresh.get("spec"))
            self._applied[key] = copy.deepcopy(body.get("spec"))
            self.objects[key] = self._stamped(fresh, new=old is None)
            return self.objects[key]

        return self._write("apply", f"{key[1]}/{key[3]}", write)

    async def merge(self, path: str, patch: dict[str, Any]) -> dict[str, Any]:
        key, status = self._key(path)

        def write() -> dict[str, Any]:
            if key not in self.objects:
                raise errors.NotFound(path)
            old = self.objects[key]
            for part in ("resourceVersion", "uid"):
                wanted = (patch.get("metadata") or {}).get(part)
                if wanted and wanted != old["metadata"][part]:
                    raise errors.Conflict(part)
            change = {"status": patch["status"]} if status else patch
            self.objects[key] = self._stamped(merged(old, change))
            return self.objects[key]

        return self._write("patch", f"{key[1]}/{key[3]}{'/status' if status else ''}", write)

    async def delete(self, path: str, *, uid: str, orphan: bool = False) -> None:
        key, _ = self._key(path)

        def write() -> dict[str, Any]:
            if key in self.objects:
                if self.objects[key]["metadata"]["uid"] != uid:
                    raise errors.Conflict("uid")
                del self.objects[key]
            return {}

        self._write("orphan" if orphan else "delete", f"{key[1]}/{key[3]}", write)

    async def replace(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        key, _ = self._key(path)

        def write() -> dict[str, Any]:
            old = self.objects[key]["metadata"]
            if old["resourceVersion"] != body["metadata"]["resourceVersion"]:
                raise errors.Conflict("resourceVersion")
            fresh = copy.deepcopy(body)
            fresh["metadata"] = {"uid": old["uid"], "creationTimestamp": old["creationTimestamp"]} | fresh["metadata"]
            self.objects[key] = self._stamped(fresh)
            return self.objects[key]

        return self._write("update", f"{key[1]}/{key[3]}", write)

    def _write(self, verb: str, what: str, write: Any) -> dict[str, Any]:
        if what in self.refuse:
            raise self.refuse[what]
        count = len(self.writes) + 1
        if self._die == (count, False):
            raise Killed
        answer = write()
        self.writes.append((verb, what))
        if self._die == (count, True):
            raise Killed
        return copy.deepcopy(answer)

    def _key(self, path: str) -> tuple[tuple[str, str, str, str], bool]:
        found = NAMESPACES.fullmatch(path)
        if found:
            return ("/api/v1", "namespaces", "", found["name"] or ""), False
        found = PATH.fullmatch(path)
        assert found, path
        return (found["root"], found["plural"], found["space"] or "", found["name"] or ""), bool(found["status"])

    def _stamped(self, body: dict[str, Any], new: bool = False) -> dict[str, Any]:
        self.version += 1
        body["metadata"]["resourceVersion"] = str(self.version)
        if new:
            body["metadata"].setdefault("uid", f"uid-{self.version}")
            body["metadata"].setdefault("generation", 1)
            body["metadata"].setdefault("creationTimestamp", "2026-11-22T10:00:00Z")
        return body


def merged(old: Any, patch: Any) -> Any:
    """JSON merge patch."""
    if not isinstance(patch, dict):
        return patch
    result = dict(old) if isinstance(old, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def selected(body: dict[str, Any], fields: str) -> bool:
    """Whether a field selector such as `spec.workflow=sums,status.phase!=Failed` fits."""
    for part in filter(None, fields.split(",")):
        path, _, wanted = part.partition("=")
        found: Any = body
        for step in path.removesuffix("!").split("."):
            found = (found or {}).get(step)
        if (found == wanted) == path.endswith("!"):
            return False
    return True


def applied(old: Any, before: Any, new: Any) -> Any:
    """What a server-side apply of `new` makes of `old`: what others added stays, what we applied `before` does not."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    mine = before if isinstance(before, dict) else {}
    kept = {key: value for key, value in old.items() if key not in new and key not in mine}
    return kept | {key: applied(old.get(key), mine.get(key), value) for key, value in new.items()}


def fits(body: dict[str, Any], selector: str) -> bool:
    labels = body["metadata"].get("labels") or {}
    for part in filter(None, selector.split(",")):
        if part.startswith("!"):
            ok = part[1:] not in labels
        elif "!=" in part:
            key, _, value = part.partition("!=")
            ok = labels.get(key) != value
        elif "=" in part:
            key, _, value = part.partition("=")
            ok = labels.get(key) == value
        else:
            ok = part in labels
        if not ok:
            return False
    return True
