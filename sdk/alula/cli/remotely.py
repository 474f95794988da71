"""`alula run --remote`: the project's place on the cluster, its files, and the outputs of the run. Called by `run`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from alula import display, settings
from alula.cli import files, flags, usage
from alula.declare import tasks
from alula_api.contract.codes import Code

if TYPE_CHECKING:
    from alula.cli import targets
    from alula.types.carriers import Carrier

DEFAULT_DOMAIN = "dev"


def run(target: targets.Target, given: Mapping[str, Any], found: flags.Scan) -> int:
    """Start a run and follow it; exit code 1 when it fails."""
    if isinstance(target.named, tasks.Task):
        raise usage.error("a task alone cannot run on the cluster", "name a workflow", Code.UNKNOWN_WORKFLOW)
    here = settings.load(target.word.rpartition(":")[0])
    project = found.text("project", here.project)
    configured = here.domain if here.domain != settings.LOCAL_DOMAIN else DEFAULT_DOMAIN
    domain = found.text("domain", configured)
    store = found.text("store", here.store)
    schemas = {item.name: item.type.schema for item in target.runs.interface.inputs}
    free = {name: value for name, value in given.items() if name not in getattr(target.named, "fixed_inputs", {})}
    inputs = files.commit(free, schemas, _carrier(f"{store.rstrip('/')}/{project}/{domain}", free))
    from alula.remote import runs

    options = runs.Options(
        namespace=found.text("namespace", f"{project}-{domain}"),
        context=found.text("context"),
        wait=not found.on("detach"),
        synced=found.on("synced"),
    )
    result = runs.start(target.named, inputs, options)
    if found.on("detach"):
        display.out(result.state.name)
        return 0
    if result.succeeded:
        _show(result.outputs(), as_json=found.on("json"))
    return 0 if result.succeeded else 1


def _carrier(prefix: str, given: Mapping[str, Any]) -> Carrier:
    """Where files are uploaded to, with the user's own credentials; never opened when there is none."""
    from alula.local import handing, places

    place = places.Place(prefix)
    if any(files.are_in(value) for value in given.values()) and place.folder is not None:
        raise usage.error(
            "a file can be given to a run on the cluster only through its store",
            'name the store by --store, or write store = "s3://..." under [tool.alula] in pyproject.toml',
        )
    return handing.Storing(place.content, handing.Shelf())


def _show(outputs: Mapping[str, Any], *, as_json: bool) -> None:
    from alula.display import outcomes

    if as_json:
        import json

        display.out(json.dumps(outputs, ensure_ascii=False, indent=2))
        return
    columns = max(map(len, outputs), default=0)
    for name, value in outputs.items():
        display.out(f"{name:<{columns}}  {outcomes.value(value, lambda reference: None)}")
