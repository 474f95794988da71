"""What became of a domain's queue, from every version of its runs and of its Domain that the API server ever had.

The versions of both kinds come from one sequence, so the state of each instant can be made again: `most` says how many
runs were let go at any of them, `strange` which choice of the controller no state explains. Used by scenarios.
"""

from __future__ import annotations

import bisect
import itertools
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from alula_api.argo import queued
from alula_api.argo.runs import COMPLETED_LABEL
from alula_api.contract import labels, names, queue
from alula_api.contract.queue import Quota, Run, Terms
from e2e import installing
from e2e.cluster import processes

Object = dict[str, Any]


class History:
    """Records from `with` on, and is asked after it.

    Args:
        place: the domain.
    """

    def __init__(self, place: installing.Place) -> None:
        self._place = place
        self._api = place.cluster.api
        self._versions: list[tuple[int, Object | None, str]] = []  # version, the object (None: it is gone), its uid
        self._over = False
        self._threads = ThreadPoolExecutor(2)

    def __enter__(self) -> History:
        self._watches = [
            self._threads.submit(self._watch, api_version, kind, self._first(api_version, kind))
            for api_version, kind in ((installing.ARGO, "Workflow"), (installing.ALULA, "Domain"))
        ]
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True
        for each in self._watches:
            each.result()
        self._threads.shutdown()
        self._versions.sort(key=lambda each: each[0])

    def _first(self, api_version: str, kind: str) -> str:
        listed = self._api.request("GET", self._api.path(api_version, kind, self._place.namespace))
        for item in listed["items"]:
            self._saw({**item, "kind": kind}, gone=False)
        return str(listed["metadata"]["resourceVersion"])

    def _watch(self, api_version: str, kind: str, since: str) -> None:
        path = self._api.path(api_version, kind, self._place.namespace)
        with processes.in_network(self._place.cluster.supervisor.network):
            while not self._over:
                # A bookmark comes just before the end: a version since which nothing changed would be compacted away.
                options = {"resourceVersion": since, "timeoutSeconds": "8", "allowWatchBookmarks": "true"}
                for event, item in self._api.watch(path, 60, options):
                    since = item["metadata"]["resourceVersion"]
                    if event != "BOOKMARK":
                        self._saw(item, gone=event == "DELETED")

    def _saw(self, item: Object, gone: bool) -> None:
        metadata = item["metadata"]
        kept = {**item, "spec": item["spec"] if item["kind"] == "Domain" else {}, "seen": time.time()}
        if item["kind"] != "Domain":
            kept["status"] = {"message": (item.get("status") or {}).get("message")}
        self._versions.append((int(metadata["resourceVersion"]), None if gone else kept, str(metadata["uid"])))

    def _states(self) -> Iterator[tuple[int, Object | None, dict[str, Object]]]:
        """Each version with what changed and all unfinished runs of ours after it, by uid."""
        runs: dict[str, Object] = {}
        for version, item, uid in self._versions:
            if item is None or item["kind"] != "Domain":
                runs.pop(uid, None)
                if item is not None and _unfinished(item):
                    runs[uid] = item
            yield version, item, runs

    @property
    def most(self) -> int:
        """The most runs that were let go and not over at one instant."""
        return max(sum(map(_admitted, runs.values())) for _, _, runs in self._states())

    @property
    def admitted(self) -> list[str]:
        """The names of the runs that were let go, in the order of it."""
        found: dict[str, None] = {}
        for _, item, _ in self._states():
            if item is not None and item["kind"] != "Domain" and _admitted(item):
                found.setdefault(item["metadata"]["name"])
        return list(found)

    @property
    def chosen(self) -> list[str]:
        """The names of the runs in the order in which the ledger chose them."""
        return [each["name"] for each in self._choices()]

    @property
    def messages(self) -> dict[str, list[str]]:
        """What the messages of each run said, one after the other, by its name."""
        found: dict[str, list[str]] = {}
        for _, item, _ in self._versions:
            message = item and item["kind"] != "Domain" and item["status"]["message"]
            if item is not None and message and message not in found.setdefault(item["metadata"]["name"], []):
                found[item["metadata"]["name"]].append(message)
        return found

    def _choices(self) -> list[Object]:
        found: dict[str, Object] = {}
        for _, item, _ in self._versions:
            if item is not None and item["kind"] == "Domain":
                found.update((each["uid"], each) for each in _intents(item) if each["uid"] not in found)
        return list(found.values())

    def strange(self) -> list[str]:
        """The choices that stood in the ledger and that the documented order explains for no state since the ledger
        before it was written."""
        terms = _terms(self._place)
        known: dict[tuple[str, str], Run] = {}

        def run(item: Object) -> Run:
            metadata = item["metadata"]
            key = metadata["uid"], metadata["resourceVersion"]
            if key not in known:
                plan = names.launch_plan_template(queued.plan(metadata))
                known[key] = queued.run(metadata, terms.get(plan, Terms()))
            return known[key]

        states = [(version, item, [run(each) for each in runs.values()]) for version, item, runs in self._states()]
        ledgers = [version for version, item, _ in states if item is not None and item["kind"] == "Domain"]
        versions = [version for version, _, _ in states]
        found = []
        before: list[str] = []
        for since, until in itertools.pairwise(ledgers):
            first, last = bisect.bisect_left(versions, since), bisect.bisect_left(versions, until)
            domain = states[last][1]
            assert domain is not None
            after = [each["uid"] for each in _intents(domain)]
            new = [uid for uid in after if uid not in before]
            kept, before = before, after
            # The list may have been newer than the ledger that was read, by which its quota is too.
            quota = Quota.of((states[first][1] or domain)["spec"])
            if not new or quota is None:
                continue
            moment = domain["seen"]
            if not any(_explains(runs, kept, quota, moment, new) for _, _, runs in states[first:last]):
                found.append(f"version {until} of the ledger chose {new} after {kept}")
        return found


def _explains(runs: list[Run], before: list[str], quota: Quota, moment: float, new: list[str]) -> bool:
    there = {run.uid: run for run in runs}
    kept = [uid for uid in before if uid in there and not there[uid].admitted]
    choice = queue.choose(runs, kept, quota, moment, most=queue.MAX_INTENTS - len(kept))
    return [run.uid for run in choice.admit] == new


def _terms(place: installing.Place) -> dict[str, Terms]:
    listed = place.cluster.api.list(installing.ARGO, "WorkflowTemplate", place.namespace, labels.LAUNCH_PLAN)
    notes = {each["metadata"]["name"]: each["metadata"].get("annotations") or {} for each in listed}
    return {name: Terms.from_text(each.get(labels.QUEUE, "")) for name, each in notes.items()}


def _unfinished(item: Object) -> bool:
    marks = item["metadata"].get("labels") or {}
    return labels.REVISION in marks and marks.get(COMPLETED_LABEL) != "true"


def _admitted(item: Object) -> bool:
    marks = item["metadata"].get("labels") or {}
    return str(marks.get(labels.ADMITTED, "")).startswith(f"{item['metadata']['uid']}.")


def _intents(domain: Object) -> list[Object]:
    return list(((domain.get("status") or {}).get("admission") or {}).get("intents") or [])
