"""Who is told of the runs of a launch plan: a place of the domain, by name. The rules are the contract's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alula.declare import options
from alula.interfaces import explained
from alula_api.contract import names
from alula_api.contract import notices as contract
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic, did_you_mean

if TYPE_CHECKING:
    from alula.declare.options import Duration

WHEN = {each.lower(): str(each) for each in contract.When}
"""What `when` may be, and what stands in the resource for it."""


@explained.explain_options
@dataclass(frozen=True, slots=True)
class Notify:
    """A place that is told of runs: `Notify("team")`, `Notify("pager", when=("failed", "late"), late_after="2h")`.

    Attributes:
        place: One of the places that the Domain names under `notifications`.
        when: Of what it is told: that a run `succeeded`, that one `failed`, that one succeeded after others had failed
            (`recovered`), that the run of a scheduled time is `late`, that one is `queued` for too long.
        late_after: With `late`: how long after its scheduled time a run that has not ended is late (a timedelta,
            seconds or text such as `2h`).
        queued_for: With `queued`: how long a run may wait in the domain's queue.
    """

    place: str
    when: str | Sequence[str] = ("failed", "recovered")
    late_after: Duration | None = None
    queued_for: Duration | None = None

    @property
    def events(self) -> tuple[str, ...]:
        """What it is told of, where it says so: nothing stands for the usual."""
        given = (self.when,) if isinstance(self.when, str) else tuple(self.when)
        return () if given == ("failed", "recovered") else given


def problems(given: Any, source: str, subject: str, *, scheduled: bool) -> Iterator[Diagnostic]:
    """What is wrong with the notifications of a launch plan."""
    listed = list(given) if isinstance(given, (list, tuple)) else [given]
    wrong = [each for each in listed if not isinstance(each, Notify)]
    if wrong:
        message = f"notifications must be a list of Notify, got {wrong[0]!r}"
        yield Diagnostic(Code.BAD_OPTION, message, source, subject, "", 'write notifications=[Notify("team")]')
        return
    if len(listed) > contract.MAX_PLACES:
        message = f"at most {contract.MAX_PLACES} places are told of a launch plan, got {len(listed)}"
        yield Diagnostic(Code.BAD_NOTICE, message, source, subject)
    twice = [place for place, count in Counter(str(each.place) for each in listed).items() if count > 1]
    for place in twice:
        hint = "name all that it is told of in one Notify"
        yield Diagnostic(Code.BAD_NOTICE, f"the place {place!r} is named twice", source, subject, "", hint)
    for each in listed:
        for message, hint in _wrong(each, scheduled=scheduled):
            yield Diagnostic(Code.BAD_NOTICE, message, source, f"{subject}, place {each.place}", "", hint)


def _wrong(each: Notify, *, scheduled: bool) -> Iterator[tuple[str, str]]:
    place: Any = each.place
    if not isinstance(place, str) or not names.is_dns_label(place):
        yield f"the name of a place must be one in lower case, got {place!r}", "name one of the Domain's notifications"
    told = (each.when,) if isinstance(each.when, str) else tuple(each.when)
    for when in told:
        if when not in WHEN:
            yield f"when must be of {', '.join(WHEN)}, got {when!r}", did_you_mean(str(when), WHEN)
    if len(set(told)) < len(told) or not told:
        yield f"when must name each event once, got {each.when!r}", ""
    for when, name, value in (("late", "late_after", each.late_after), ("queued", "queued_for", each.queued_for)):
        if (when in told) != (value is not None):
            hint = f"write {name}='1h' beside it" if value is None else f"name {when!r} in when, or drop {name}"
            yield f"{name} and when={when!r} go together", hint
        if value is None:
            continue
        try:
            if options.seconds(value) < 1:
                raise ValueError("must be a second or more")
        except (ValueError, OverflowError) as error:
            yield f"{name} {error}, got {value!r}", ""
    if "late" in told and not scheduled:
        message = "only the runs of a schedule can be late, and the launch plan has none"
        yield message, "give it a schedule, or drop 'late'"
