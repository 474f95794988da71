"""Failures whose messages other programs would evaluate; see `e2e/main_road/test_hostile_failures.py`."""

from __future__ import annotations

import json
import os
import pathlib

from alula import Failure, conditional, map_task, task, workflow


@task
def raises(text: str) -> str:
    """Fails with the text alone."""
    raise ValueError(text)


@workflow
def refusal(text: str, sure: bool) -> str:
    """Fails with the text between others."""
    return conditional("guard").if_(sure).fail("{{{text}}} {text}", text=text).else_().then(raises(text))


@workflow(failure_policy="continue")
def raised(texts: list[str]) -> list[str]:
    """Each item fails."""
    return map_task(raises)(texts)


@workflow(failure_policy="continue")
def refused(texts: list[str]) -> list[str]:
    """Each item ends in a failure of its branch."""
    return map_task(refusal)(texts, sure=True)


@task
def keep(why: Failure) -> None:
    """Keep what a handler gets, in the folder `SEEN`."""
    pathlib.Path(os.environ["SEEN"], f"{why.run}.json").write_text(json.dumps([why.node, why.message]))


@workflow(on_failure=keep)
def told(text: str) -> str:
    """An exception, and what its handler gets."""
    return raises(text)


@workflow(on_failure=keep)
def told_refused(text: str) -> str:
    """A failure of a branch, and what its handler gets."""
    return refusal.named("sub")(text, True)
