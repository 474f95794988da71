"""What servers and clients were heard to say, and what we make of it. The texts are real, shortened."""

from __future__ import annotations

import pytest

from alula_data import errors
from alula_data.stores import answers


def said(status: str, code: str = "") -> str:
    body = f"<Error><Code>{code}</Code><Message>m</Message></Error>" if code else ""
    return f"Error performing GET http://s3/b/k in 1ms - Server returned non-2xx status code: {status}: {body}"


CASES = {
    "no such key": (said("404 Not Found", "NoSuchKey"), True, False, errors.NotFound),
    "a HEAD of what is not there has no body": (said("404 Not Found"), True, False, errors.NotFound),
    "an Azure blob that is not there": (said("404 x", "BlobNotFound"), True, False, errors.NotFound),
    "no such bucket": (said("404 Not Found", "NoSuchBucket"), True, False, errors.Denied),
    "no such bucket in a listing": (said("404 Not Found", "NoSuchBucket"), False, False, errors.Denied),
    "an unknown user is no news about the object": (said("404 x", "XAdminUserNotFound"), True, False, errors.Denied),
    "a wrong secret": (said("403 Forbidden", "SignatureDoesNotMatch"), False, True, errors.Denied),
    "no right": (said("403 Forbidden", "AccessDenied"), False, True, errors.Denied),
    "slow down": (said("503 Service Unavailable", "SlowDown"), False, False, errors.Unavailable),
    "an inner error": (said("500 Internal Server Error"), False, False, errors.Unavailable),
    "too many requests": (said("429 Too Many Requests"), False, False, errors.Unavailable),
    "a request timed out": (said("400 Bad Request", "RequestTimeout"), False, False, errors.Unavailable),
    "a bad request stays bad": (said("400 Bad Request", "InvalidArgument"), False, False, errors.StoreError),
    "another region": (said("301 Moved Permanently", "PermanentRedirect"), False, False, errors.StoreError),
    "refused": ("Error performing GET http://127.0.0.1:9/b/k - HTTP error: error sending request", False, False,
                errors.Unavailable),
    "no credentials, so the client asked the machine": (
        "Error performing PUT http://169.254.169.254/latest/api/token in 1s - HTTP error", False, False, errors.Denied),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_an_answer_becomes_the_error_that_says_what_to_do(name: str) -> None:
    text, missing, denied, kind = CASES[name]
    assert answers.classify(text, missing=missing, denied=denied)[0] is kind


def test_the_services_own_word_is_shown() -> None:
    assert answers.summary(said("403 Forbidden", "AccessDenied")) == "AccessDenied, status 403"
    assert answers.summary(said("503 Service Unavailable")) == "status 503"
    assert answers.summary("first line\n\nDebug source: ...") == "first line"


def test_of_a_server_that_does_not_answer_its_address_is_shown_and_no_retry_settings() -> None:
    text = (
        "Generic S3 error: Error performing GET http://127.0.0.1:9/bucket/x/7c.json in 4.25s, after 5 retries, "
        "max_retries: 5, retry_timeout: 180s  - HTTP error: error sending request\n\nDebug source: ..."
    )
    assert answers.summary(text) == "http://127.0.0.1:9: error sending request"
