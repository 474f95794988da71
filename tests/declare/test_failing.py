"""`.fail(...)` of a branch: the message arrives as it was written, with the values in it."""

from __future__ import annotations

import pytest

import alula
from alula import conditional, task, workflow

HOSTILE = ["{{=1+1}}", "{0} {name} {}", "%s $(HOME) $$", "é\u2028 '\" \\ <&>", "", " a\nb ", "null", "{{workflow.uid}}"]


@task
def given(text: str) -> str:
    """The text."""
    return text


@workflow
def failing(text: str, n: int, ratio: float, flag: bool, maybe: int | None) -> None:
    """Fails with all that it gets."""
    conditional("check").if_(ratio > 0.0).fail(
        "<{text}> {{text}} {n} {ratio} {flag} {maybe} {constant}",
        text=given(text),
        n=n,
        ratio=ratio,
        flag=flag,
        maybe=maybe,
        constant="{n}{{}}",
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_stands_in_the_message_byte_for_byte(text: str) -> None:
    inputs = {"text": text, "n": 2**70, "ratio": 0.5, "flag": True, "maybe": None}
    with pytest.raises(alula.RunFailed) as failed:
        alula.run(failing, inputs, workers=1, threads=True, records=False)
    record = failed.value.result.failures[0].failure
    assert record is not None
    assert record.message == f"<{text}> {{text}} {2**70} 0.5 True None {{n}}{{{{}}}}"
    assert (record.kind, record.code, record.retryable, record.exception) == ("user", "TASK_FAILED", False, "")
