"""Objects in S3 (and whatever speaks it), Google Cloud Storage and Azure Blob Storage, through obstore.

obstore is loaded on first use. Credentials and regions come from the environment, as the clouds' own tools name
them. Requests that fail for a while are sent again by the client itself, conditional creates by us: a create that is
sent again after its answer was lost fails because of itself, and only who counts the attempts can tell.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from alula_data import errors, retries
from alula_data.stores import answers, keys
from alula_data.stores.protocols import CHUNK, Head

if TYPE_CHECKING:
    import obstore.store

SCHEMES = ("s3", "s3a", "gs", "az", "azure", "abfs", "abfss")

_PART = 8 << 20
"""Bytes of one part of a large object: times 10,000 parts is the largest object, times 4 is the memory in use."""
_PARTS_AT_ONCE = 4


class ObjectStore:
    """A store under a bucket's prefix.

    Args:
        url: `s3://bucket/prefix`, `gs://bucket/prefix` or `az://container/prefix`.
        endpoint: address of a server that is not the cloud's own; http is allowed, buckets are part of the path.
        policy: how often and how patiently a request is tried again.
    """

    def __init__(self, url: str, *, endpoint: str = "", policy: retries.Policy = retries.DEFAULT) -> None:
        self.url = errors.clean_url(url)
        self._address = url
        self._endpoint = endpoint
        self._policy = policy
        self._client = self._connect(policy.attempts - 1)
        self._once: obstore.store.ObjectStore | None = None

    def get(self, key: str) -> bytes:
        """See `protocols.Store`."""
        import obstore

        keys.check(self.url, key)
        try:
            data: bytes = obstore.get(self._client, key).bytes().to_bytes()
        except _raised() as error:
            raise self._error(key, error) from None
        return data

    def stream(self, key: str) -> Iterator[bytes]:
        """See `protocols.Store`."""
        import obstore

        keys.check(self.url, key)
        try:
            for chunk in obstore.get(self._client, key).stream(CHUNK):
                yield bytes(chunk)
        except _raised() as error:
            raise self._error(key, error) from None

    def put(self, key: str, data: bytes) -> None:
        """See `protocols.Store`."""
        import obstore

        keys.check(self.url, key)
        try:
            obstore.put(self._client, key, data, chunk_size=_PART, max_concurrency=_PARTS_AT_ONCE)
        except _raised() as error:
            raise self._error(key, error, writing=True) from None

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """See `protocols.Store`."""
        keys.check(self.url, key)

        def create(attempt: int) -> bool:
            # After a lost answer our own object may be what is in the way.
            return self._create(key, data) or (attempt > 1 and self._holds(key, data))

        return retries.call(self._policy, create)

    def put_stream(self, key: str, chunks: Iterable[bytes]) -> int:
        """See `protocols.Store`."""
        import obstore

        keys.check(self.url, key)
        body = _Body(chunks)
        try:
            obstore.put(self._client, key, iter(body), chunk_size=_PART, max_concurrency=_PARTS_AT_ONCE)
        except BaseException as error:
            if body.failure is not None:
                raise body.failure from None
            if isinstance(error, _raised()):
                raise self._error(key, error, writing=True) from None
            raise
        return body.size

    def head(self, key: str) -> Head | None:
        """See `protocols.Store`."""
        import obstore

        keys.check(self.url, key)
        try:
            return _head(key, obstore.head(self._client, key))
        except _raised() as error:
            found = self._error(key, error)
            if isinstance(found, errors.NotFound):
                return None
            raise found from None

    def list(self, prefix: str = "") -> Iterator[Head]:
        """See `protocols.Store`."""
        import obstore

        folder = keys.check_prefix(self.url, prefix)
        try:
            for page in obstore.list(self._client, folder or None):
                for meta in page:
                    yield _head(meta["path"], meta)
        except _raised() as error:
            raise self._error(folder, error) from None

    def move(self, key: str, to: str) -> None:
        """See `protocols.Store`: a copy by the server, and then a delete."""
        import obstore

        keys.check(self.url, key)
        keys.check(self.url, to)
        try:
            obstore.copy(self._client, key, to)
        except _raised() as error:
            raise self._error(key, error) from None
        self.delete(key)

    def delete(self, key: str) -> None:
        """See `protocols.Store`."""
        import obstore

        keys.check(self.url, key)
        try:
            obstore.delete(self._client, key)
        except _raised() as error:
            found = self._error(key, error)
            if not isinstance(found, errors.NotFound):
                raise found from None

    def _create(self, key: str, data: bytes) -> bool:
        import obstore
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        if self._once is None:
            self._once = self._connect(0)
        try:
            obstore.put(self._once, key, data, mode="create")
        except (AlreadyExistsError, PreconditionError):
            return False
        except _raised() as error:
            raise self._error(key, error, writing=True) from None
        return True

    def _holds(self, key: str, data: bytes) -> bool:
        try:
            return self.get(key) == data
        except errors.NotFound:
            return False

    def _connect(self, again: int) -> obstore.store.ObjectStore:
        try:
            from obstore.store import from_url
        except ImportError:
            raise errors.StoreError(
                self._address, detail="obstore is not installed", hint="pip install 'alula[s3]'"
            ) from None
        from datetime import timedelta

        seconds = self._policy.seconds
        backoff = {"init_backoff": timedelta(seconds=self._policy.first)}
        backoff["max_backoff"] = timedelta(seconds=self._policy.longest)
        try:
            return from_url(
                self._address,
                client_options={
                    "allow_http": self._endpoint.startswith("http://") or _allows_http(),
                    "connect_timeout": f"{seconds or 5:g}s",
                    "read_timeout": f"{seconds or 60:g}s",
                    "timeout": f"{seconds or 1800:g}s",  # of one request, whose body may be gigabytes
                },
                retry_config={"max_retries": again, "retry_timeout": timedelta(minutes=3), "backoff": backoff},
                **self._settings(),
            )
        except Exception as error:  # whatever the address made the client say
            raise errors.StoreError(self._address, detail=str(error), hint="check the address of the store") from None

    def _settings(self) -> dict[str, Any]:
        scheme = self._address.partition("://")[0]
        settings: dict[str, Any] = {}
        if scheme in ("s3", "s3a"):
            settings["disable_bulk_delete"] = True  # one object at a time, and not every server has the other
            if "AWS_CHECKSUM_ALGORITHM" not in os.environ:
                settings["checksum_algorithm"] = "SHA256"  # the server compares, so no byte is kept that was not sent
        if self._endpoint:
            settings["base_url" if scheme == "gs" else "endpoint"] = self._endpoint
        return settings

    def _error(self, key: str, error: BaseException, *, writing: bool = False) -> errors.StoreError:
        from obstore.exceptions import PermissionDeniedError, UnauthenticatedError

        text = str(error)
        missing = isinstance(error, FileNotFoundError)
        denied = isinstance(error, (PermissionDeniedError, UnauthenticatedError))
        kind, hint = answers.classify(text, missing=missing, denied=denied)
        if writing and kind is errors.NotFound:
            kind, hint = errors.Denied, answers.BUCKET_HINT
        return kind(self._address, key, "" if kind is errors.NotFound else answers.summary(text), hint)


class _Body:
    """An object's chunks on their way: counts them, and keeps what the user's side raised apart from the client's."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks
        self.size = 0
        self.failure: BaseException | None = None

    def __iter__(self) -> Iterator[bytes]:
        try:
            for chunk in self._chunks:
                self.size += len(chunk)
                yield chunk
        except GeneratorExit:
            raise
        except BaseException as error:
            self.failure = error
            raise


def _head(key: str, meta: Any) -> Head:
    return Head(key, meta["size"], meta["last_modified"].timestamp(), meta.get("e_tag") or "")


def _allows_http() -> bool:
    return os.environ.get("AWS_ALLOW_HTTP", "").lower() in ("true", "1")


def _raised() -> tuple[type[BaseException], ...]:
    """What obstore raises."""
    from obstore.exceptions import BaseError

    return (BaseError, OSError, ValueError)
