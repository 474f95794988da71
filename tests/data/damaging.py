"""Ways in which an object goes bad, done behind the store's back."""

from __future__ import annotations

from collections.abc import Callable

from alula_data.stores.protocols import Store


def flip(store: Store, key: str) -> None:
    data = bytearray(store.get(key))
    data[len(data) // 2] ^= 1
    store.put(key, bytes(data))


def truncate(store: Store, key: str) -> None:
    store.put(key, store.get(key)[:-1])


def extend(store: Store, key: str) -> None:
    store.put(key, store.get(key) + b"x")


def empty(store: Store, key: str) -> None:
    store.put(key, b"")


def delete(store: Store, key: str) -> None:
    store.delete(key)


WAYS: dict[str, Callable[[Store, str], None]] = {
    "a bit flipped": flip,
    "cut short": truncate,
    "too long": extend,
    "empty": empty,
    "gone": delete,
}
