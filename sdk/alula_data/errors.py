"""What goes wrong with a store: one class for each thing that a reader can do about it.

```
StoreError                       tell the operator: the store answered something that we do not understand
├── NotFound                     the object is gone or never was: make it again
├── Damaged                      the object is not what its digest says: make it again
├── Unavailable                  no answer, or an answer that asks for patience: try again later
└── Denied                       credentials, rights or a missing bucket: tell the operator
```

Everybody catches these; every store raises nothing else. An error never shows a credential: addresses lose their
user and query parts, and the values of secret variables are blotted out of what a client library said.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from alula_api.contract.codes import Code

_SECRET_VARIABLE = re.compile(r"SECRET|TOKEN|PASSWORD|PASSWD|ACCESS_KEY|ACCOUNT_KEY|SAS|CREDENTIAL", re.IGNORECASE)
_USER_IN_ADDRESS = re.compile(r"(?P<scheme>\w+)://(?P<user>[^/@\s]*)@")
_QUERY_IN_ADDRESS = re.compile(r"(?<=\S)\?\S*")
_KEY_IN_ANSWER = re.compile(r"<(AWSAccessKeyId|StringToSign|SignatureProvided|CanonicalRequest)\b.*", re.DOTALL)
_DETAIL_LIMIT = 300


class StoreError(Exception):
    """A store did not do what was asked.

    Attributes:
        code: the stable code of the error.
        url: the store, without credentials.
        key: the object in it, if one is concerned.
        hint: what its reader can do.
    """

    CODE = Code.STORE_ERROR
    SENTENCE = "the store cannot be used"
    HINT = ""

    def __init__(self, url: str, key: str = "", detail: str = "", hint: str = "") -> None:
        self.code = self.CODE
        self.url = clean_url(url)
        self.key = key
        self.detail = clean(detail)
        self.hint = hint or self.HINT
        super().__init__(self._text())

    def _text(self) -> str:
        place = f"{self.url.rstrip('/')}/{self.key}" if self.key else self.url
        detail = f" ({self.detail})" if self.detail else ""
        hint = f"; {self.hint}" if self.hint else ""
        return f"{self.SENTENCE}: {place}{detail}{hint}"

    def __reduce__(self) -> tuple[type[StoreError], tuple[str, str, str, str]]:
        return type(self), (self.url, self.key, self.detail, self.hint)


class NotFound(StoreError):
    """There is no such object."""

    CODE = Code.NOT_FOUND
    SENTENCE = "there is no such object"


class Damaged(StoreError):
    """An object's bytes are not those that its digest or size names."""

    CODE = Code.DAMAGED
    SENTENCE = "the object is damaged"
    HINT = "run what made it again"


class Unavailable(StoreError):
    """The store gave no answer, or asked for patience; the same request may succeed later."""

    CODE = Code.STORE_UNAVAILABLE
    SENTENCE = "the store cannot be reached"


class Denied(StoreError):
    """The store refused these credentials, or the bucket is not there for them."""

    CODE = Code.STORE_DENIED
    SENTENCE = "the store refused"


def clean_url(url: str) -> str:
    """`url` without its user, password and query."""
    return _QUERY_IN_ADDRESS.sub("", _USER_IN_ADDRESS.sub(_without_user, url))


def _without_user(match: re.Match[str]) -> str:
    # Azure's own scheme names the container in this place.
    if match["scheme"].startswith("abfs") and ":" not in match["user"]:
        return match[0]
    return f"{match['scheme']}://"


def clean(text: str, environment: Mapping[str, str] | None = None) -> str:
    """One short line of what a client library said, without credentials."""
    line = _KEY_IN_ANSWER.sub("", text).strip().split("\n\n", 1)[0].replace("\n", " ")
    for name, value in (os.environ if environment is None else environment).items():
        if len(value) >= 4 and _SECRET_VARIABLE.search(name):
            line = line.replace(value, "***")
    line = clean_url(line)
    return line if len(line) <= _DETAIL_LIMIT else line[:_DETAIL_LIMIT] + "..."
