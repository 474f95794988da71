"""What an object store's answer means: pure text in, class of error and hint out.

Used by `objects`. The Rust client tells apart what it must for its own work; the rest arrives as text, in which the
HTTP status and the service's own code are looked up here.
"""

from __future__ import annotations

import re

from alula_data import errors

_STATUS = re.compile(r"status code: (\d{3})")
_TRIED = re.compile(r"Error performing \w+ (?P<server>\w+://[^/\s]+)\S* .* - (?:HTTP error: )?(?P<why>.+)\Z")
_SERVICE_CODE = re.compile(r"<Code>(\w+)</Code>")
_MISSING_OBJECT = {"", "NoSuchKey", "BlobNotFound", "NoSuchUpload"}
_MISSING_BUCKET = {"NoSuchBucket", "ContainerNotFound"}
_PATIENCE = {"SlowDown", "RequestTimeout", "ServerBusy", "RequestTimeTooSkewed", "OperationAborted"}
_METADATA_ADDRESS = "169.254."

BUCKET_HINT = "the bucket must exist and be visible to these credentials"
CREDENTIALS_HINT = (
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (with the AWS tools: "
    '`eval "$(aws configure export-credentials --format env)"`), or give the pod a workload identity'
)
RIGHTS_HINT = "the credentials must be valid and allow this operation under this prefix"
ENDPOINT_HINT = "check the address of the store and that this machine may reach it"


def classify(text: str, *, missing: bool = False, denied: bool = False) -> tuple[type[errors.StoreError], str]:
    """The error to raise for what the client said, and its hint.

    Args:
        text: what the client library said.
        missing: the library takes it for a missing object.
        denied: the library takes it for missing rights.
    """
    status = _number(_STATUS.search(text))
    code = match[1] if (match := _SERVICE_CODE.search(text)) else ""
    if _METADATA_ADDRESS in text or "redential" in text:
        return errors.Denied, CREDENTIALS_HINT
    if code in _MISSING_BUCKET:
        return errors.Denied, BUCKET_HINT
    if denied or status in (401, 403):
        return errors.Denied, RIGHTS_HINT
    if missing or status == 404:
        # A server that does not know the key's user says 404 too: that is no news about the object.
        return (errors.NotFound, "") if code in _MISSING_OBJECT else (errors.Denied, RIGHTS_HINT)
    if status in (408, 425, 429) or status >= 500 or code in _PATIENCE:
        return errors.Unavailable, ""
    if status:
        return errors.StoreError, ""
    return errors.Unavailable, ENDPOINT_HINT


def summary(text: str) -> str:
    """The service's own words, else which server did not answer and why, else the client's first line."""
    code = _SERVICE_CODE.search(text)
    status = _STATUS.search(text)
    if code:
        return f"{code[1]}, status {status[1]}" if status else code[1]
    if status:
        return f"status {status[1]}"
    line = text.strip().split("\n", 1)[0]
    tried = _TRIED.search(line)
    return f"{tried['server']}: {tried['why']}" if tried else line


def _number(match: re.Match[str] | None) -> int:
    return int(match[1]) if match else 0
