"""What a run says of its notices: what is still owed, and what was told. Pure.

It stands in an annotation of the run, so that whichever replica acts next goes on from there, and is written before
anything is sent. The label of the run says whether anything of it is left to do once the run is over.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from alula_api.contract import jsontext, labels, notices
from alula_api.contract.problems import InvalidValue

MAX_TEXT = 8_000


@dataclass(frozen=True, slots=True)
class Mark:
    """What was decided of a run.

    Attributes:
        end: The event that its end was; `-` for an end without a notice, empty while it has not been decided.
        owed: Notices to send: `Failed/team`.
        told: Notices of a run under way that are decided, and so not decided again.
    """

    end: str = ""
    owed: tuple[str, ...] = ()
    told: tuple[str, ...] = ()

    @classmethod
    def of(cls, metadata: Mapping[str, Any]) -> Mark:
        """What a run says; what was copied from another run, or cannot be read, says nothing."""
        text = str((metadata.get("annotations") or {}).get(labels.NOTIFIED) or "")
        if not 0 < len(text) <= MAX_TEXT:
            return cls()
        try:
            found: Any = jsontext.parse(text)
            if found["uid"] != metadata.get("uid"):
                return cls()
            return cls(str(found["end"]), tuple(map(str, found["owed"])), tuple(map(str, found["told"])))
        except (InvalidValue, KeyError, TypeError):
            return cls()

    @property
    def done(self) -> bool:
        """Whether a run that is over has nothing more to tell."""
        return bool(self.end) and not self.owed

    def ended(self, event: str, places: Iterable[str]) -> Mark:
        """After its end was decided; empty for one without a notice."""
        return replace(self, end=event or "-", owed=(*self.owed, *(f"{event}/{place}" for place in places)))

    def owes(self, notice: str) -> Mark:
        """After something was decided while it is under way."""
        return self if notice in self.told else replace(self, owed=(*self.owed, notice), told=(*self.told, notice))

    def only(self, places: Collection[str]) -> Mark:
        """Without what is owed to places that the plan does not name (any more); anybody may write an annotation."""
        return replace(self, owed=tuple(each for each in self.owed if each.partition("/")[2] in places))

    def without(self, notice: str) -> Mark:
        """After a notice was taken, or given up."""
        return replace(self, owed=tuple(each for each in self.owed if each != notice))

    def patch(self, metadata: Mapping[str, Any]) -> dict[str, Any]:
        """The patch of the run, for the version that was read."""
        said = {"uid": metadata["uid"], "end": self.end, "owed": list(self.owed), "told": list(self.told)}
        label = notices.DONE if self.done else notices.PENDING
        return {
            "metadata": {
                "uid": metadata["uid"],
                "resourceVersion": metadata["resourceVersion"],
                "labels": {labels.NOTICES: label},
                "annotations": {labels.NOTIFIED: jsontext.dumps_sorted(said)},
            }
        }


def again(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The patch of a run that is under way again after it was told of (`argo retry`): its next end counts."""
    return {
        "metadata": {
            "uid": metadata["uid"],
            "resourceVersion": metadata["resourceVersion"],
            "labels": {labels.NOTICES: notices.PENDING},
            "annotations": {labels.NOTIFIED: None},
        }
    }
