"""The failure records of a node in the store: written at the end of an attempt, counted to keep the two budgets.

Called by `failure_report` after a failure, by `batches` for items that may fail, and by `running` before the user's
code when earlier attempts may have used up the system's budget. They lie under the run's uid: another of its name
has its own. A record counts by its attempt: those of later ones are left from before a run was retried by hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alula_api.contract import failures, values
from alula_api.contract.failures import FailureRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alula_data.stores.protocols import Store


def write(store: Store, run_uid: str, record: FailureRecord) -> None:
    """Puts the record of an attempt where `alula run --remote` reads it."""
    store.put(failures.path(run_uid, record.node, record.attempt), values.dumps(record.to_json()).encode())


def write_items(store: Store, run_uid: str, node: str, attempt: int, failed: Mapping[int, FailureRecord]) -> None:
    """Puts the records of a batch's items that failed and may, by their indices, where a followed run reads them."""
    text = values.dumps(failures.items_to_json(failed))
    store.put(failures.items_path(run_uid, node, attempt), text.encode())


def of_user(store: Store, run_uid: str, node: str, last: int) -> int:
    """How many attempts of this run's node, up to number `last`, failed in the user's code.

    Raises:
        StoreError: The store gives no answer.
    """
    folder = failures.path(run_uid, node, last).rsplit("/", 2)[0]
    found = 0
    for head in store.list(folder):
        number = head.key.rsplit("/", 2)[-2]
        if not number.isdecimal() or int(number) > last or not head.key.endswith("/failure.json"):
            continue
        try:
            earlier = FailureRecord.from_json(values.parse(store.get(head.key)))
        except values.InvalidValue:
            continue
        found += earlier.kind == failures.USER
    return found
