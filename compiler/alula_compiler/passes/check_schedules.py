"""The schedules of launch plans are ones that Argo reads: otherwise 4.0 and 4.1 take the CronWorkflow and never fire.

A line has five fields as robfig/cron has them, or is a name such as `@daily`. The SDK says more, and earlier, of
schedules in Python; this is for resources that were written or patched by hand.
"""

from __future__ import annotations

import re

from alula_api.contract.codes import Code
from alula_compiler import problems
from alula_compiler.engines import Engine
from alula_compiler.problems import Report
from alula_compiler.program import Program

NAMES = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_FIELDS: tuple[tuple[str, int, int, list[str]], ...] = (
    ("minute", 0, 59, []),
    ("hour", 0, 23, []),
    ("day of the month", 1, 31, []),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 6, _DAYS),
)
_EVERY = re.compile(r"@every ([0-9]{1,9}(s|m|h))+")
_PART = re.compile(r"(?:[*?]|([0-9a-z]{1,9})(?:-([0-9a-z]{1,9}))?)(?:/([0-9]{1,4}))?")


def run(program: Program, engine: Engine, report: Report) -> Program:
    """Report every cron line that Argo would not read."""
    for plan in program.plans:
        for line in plan.crons:
            wrong = problem(line)
            if wrong:
                report.add(Code.BAD_SCHEDULE, problems.of_plan(plan), f"{line!r}: {wrong}")
    return program


def problem(line: str) -> str:
    """Return what is wrong with a cron line; empty when Argo reads it."""
    if line.startswith("@"):
        good = line in NAMES or _EVERY.fullmatch(line)
        return "" if good else f"must be one of {', '.join(NAMES)}, or @every with a duration"
    fields = line.split()
    if len(fields) != len(_FIELDS):
        return f"must have 5 fields (minute, hour, day, month, day of the week), not {len(fields)}"
    for field, (name, low, high, words) in zip(fields, _FIELDS, strict=True):
        for part in field.split(","):
            if not _is_good(part.lower(), low, high, words):
                return f"the {name} must lie between {low} and {high}, as 5, 1-5, */15 or a list of these, not {part!r}"
    return ""


def _is_good(part: str, low: int, high: int, words: list[str]) -> bool:
    match = _PART.fullmatch(part)
    if match is None or match[3] == "0":
        return False
    ends = [_number(text, low, words) for text in match.groups()[:2] if text is not None]
    return all(low <= end <= high for end in ends) and ends == sorted(ends)


def _number(text: str, low: int, words: list[str]) -> int:
    if text in words:
        return words.index(text) + low
    return int(text) if text.isdecimal() else -1
