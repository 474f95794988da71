"""What changed in launch plans, in the Domain, and in what pods run. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from alula.gitops.changes import Change, arrow, leaves
from alula_api.contract.graphs.specs import Code, InputValue, LaunchPlanSpec

_VALUES = ("inputs", "fixedInputs", "version")
"""Fields that are compared by name, or follow from others."""


def compare(subject: str, before: LaunchPlanSpec, after: LaunchPlanSpec) -> Iterator[Change]:
    """The changes of one launch plan: its values, then all else that it says."""
    for part, one, other in (
        ("input", before.inputs, after.inputs),
        ("fixed input", before.fixed_inputs, after.fixed_inputs),
    ):
        for name, *values in leaves(_values(one), _values(other)):
            yield Change(subject, f"{part} {name}", arrow(*values))
    for path, *values in leaves(_settings(before), _settings(after)):
        yield Change(subject, path, arrow(*values))


def _settings(spec: LaunchPlanSpec) -> dict[str, Any]:
    return {key: value for key, value in spec.to_json().items() if key not in _VALUES}


def _values(given: Iterable[InputValue]) -> dict[str, str]:
    return {each.name: each.value for each in given}


def code(subject: str, before: Code, after: Code) -> Iterator[Change]:
    """The image and the bundle of a workflow."""
    if before.image != after.image:
        yield Change(subject, "image", _image(before.image, after.image))
    old, new = (each.bundle.digest[:12] if each.bundle else None for each in (before, after))
    if (before.bundle and before.bundle.digest) != (after.bundle and after.bundle.digest):
        yield Change(subject, "bundle", arrow(old, new))
    if before.runtime != after.runtime:
        yield Change(subject, "runtime", arrow(before.runtime, after.runtime))


def _image(old: str, new: str) -> str:
    """Both, and of digests only the beginnings; the name once."""
    (name, _, digest), (other, _, another) = (each.partition("@sha256:") for each in (old, new))
    if name == other and digest and another:
        return f"{name}@{digest[:12]} → {another[:12]}"
    return f"{name}{'@' * bool(digest)}{digest[:12]} → {other}{'@' * bool(another)}{another[:12]}"


def domain(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> Iterator[Change]:
    """Quotas and whatever else the Domain says."""
    if (before is None) != (after is None):
        yield Change("domain", "", "the Domain was added" if before is None else "the Domain was removed")
        return
    for path, *values in leaves((before or {}).get("spec") or {}, (after or {}).get("spec") or {}):
        yield Change("domain", path, arrow(*values))
