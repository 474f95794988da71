"""What a notice says, as facts and as sentences; services put them into their own forms. Pure.

Texts that people wrote (names are safe, errors are not) are cleaned and cut here, once, so that a service only has to
encode them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from alula_api.contract import failures
from alula_api.contract.notices import When
from alula_controller import timestamps

MAX_ERROR = 1_500
"""Bytes of an error: the shortest text that a service takes is 3,000 characters."""
ENDS = (When.SUCCEEDED, When.FAILED, When.RECOVERED)


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that a notice may say.

    Attributes:
        when: What happened: a `notices.When`.
        place: Who is told.
        namespace: Of the domain.
        project: Of the domain; empty where unknown.
        domain: Of the domain; empty where unknown.
        plan: The launch plan.
        workflow: The Workflow.
        run: The run; empty for scheduled times that have none.
        about: The uid of the run, or the scheduled time.
        at: When it happened.
        error: What failed, or why there is no run; cleaned.
        state: Of a run that is late: `waits in the queue`, `runs`.
        since: Of a late run its scheduled time, of one that waits since when.
        commit: That the code was built from; empty where unknown.
        ui: Where Argo's UI is; empty for nowhere.
    """

    when: str
    place: str
    namespace: str
    plan: str
    workflow: str
    about: str
    at: datetime
    run: str = ""
    project: str = ""
    domain: str = ""
    error: str = ""
    state: str = ""
    since: datetime | None = None
    commit: str = ""
    ui: str = ""

    @property
    def key(self) -> str:
        """The same for every attempt at this notice, and for no other one: a run that is retried ends again."""
        ended = timestamps.seconds(self.at) if self.when in ENDS else ""
        text = "\n".join((self.namespace, self.plan, self.about, self.when, self.place, ended))
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    @property
    def where(self) -> str:
        """The domain as people call it."""
        return f"{self.project}/{self.domain}" if self.project and self.domain else self.namespace

    @property
    def link(self) -> str:
        """The run in Argo's UI; empty where there is none."""
        if not self.ui or not self.run:
            return ""
        return f"{self.ui}/workflows/{quote(self.namespace)}/{quote(self.run)}?uid={quote(self.about)}"

    @property
    def title(self) -> str:
        """In a few words."""
        what = {
            When.SUCCEEDED: "succeeded",
            When.FAILED: "failed",
            When.RECOVERED: "recovered",
            When.LATE: "is late",
            When.QUEUED: "waits for too long",
        }[When(self.when)]
        return f"{self.plan} {what} in {self.where}"

    @property
    def message(self) -> str:
        """In a whole sentence, or two."""
        run = f"Run {self.run} of workflow {self.workflow} (launch plan {self.plan}, domain {self.where})"
        since = timestamps.seconds(self.since) if self.since is not None else ""
        match self.when:
            case When.FAILED:
                return f"{run} failed: {self.error}" if self.error else f"{run} failed."
            case When.RECOVERED:
                return f"{run} succeeded; the runs before it had failed."
            case When.QUEUED:
                return f"{run} has waited in the domain's queue since {since}."
            case When.LATE if self.run:
                return f"{run} was scheduled for {since} and {self.state or 'has not ended'}."
            case When.LATE:
                plan = f"Launch plan {self.plan} of workflow {self.workflow} (domain {self.where})"
                return f"{plan} has no run for {since}: {self.error}"
        return f"{run} succeeded."

    def values(self) -> dict[str, str]:
        """By the names that a template may use."""
        return {
            "event": self.when,
            "title": self.title,
            "message": self.message,
            "error": self.error,
            "run": self.run,
            "plan": self.plan,
            "workflow": self.workflow,
            "project": self.project,
            "domain": self.domain,
            "namespace": self.namespace,
            "at": timestamps.seconds(self.at),
            "link": self.link,
            "key": self.key,
        }


def cleaned(text: str) -> str:
    """People's text without control characters and lone surrogates, not longer than a notice holds."""
    return failures.cut(text, MAX_ERROR).strip()
