"""What changes with every commit: image and bundle digests and the source commit, once for each group of files.

A *block of digests* is one patch in the kustomization of a release folder, for the workflows that were built together:
one group normally, several after a partial registration or promotion. Written and read here, and applied to resources
where no kustomize is at hand. Called by `alula.emit.releases` and `alula.emit.kustomize`; no file is opened here.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alula import errors
from alula.emit import manifests
from alula.emit.resources import Code, Resource
from alula_api.contract import codes, diagnostics, labels
from alula_api.contract.names import API_VERSION, GROUP
from alula_api.contract.values import Json
from alula_api.kinds import yamltext

KIND = "Workflow"
_RELEASE = re.compile(r"^# release: (\S+)$", re.MULTILINE)
_FILES = re.compile(r"^# files: sha256:([0-9a-f]{64})$", re.MULTILINE)
_AGAIN = "do not edit it: settle a merge by `alula register` of the merged sources"


@dataclass(frozen=True)
class Block:
    """What one group of workflows runs.

    Attributes:
        code: The image and the bundle.
        commit: The source commit, with `-dirty` where files differed from it; empty outside git.
        release: The release that the group came with: the user's name for it, else the source commit.
        files: The checksum of the group's lines in the lock.
        workflows: Their names; empty for all that the release has.
    """

    code: Code
    commit: str = ""
    release: str = ""
    files: str = ""
    workflows: tuple[str, ...] = ()

    def has(self, workflow: str) -> bool:
        """Whether a workflow is of this group."""
        return not self.workflows or workflow in self._names

    @functools.cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(self.workflows)

    def overlay(self) -> Resource:
        """What it lays over a Workflow."""
        code: Resource = {"image": self.code.image}
        if self.code.bundle_digest:
            code["bundle"] = {"digest": self.code.bundle_digest, "size": self.code.bundle_size}
        metadata: Resource = {"annotations": {labels.COMMIT: self.commit}} if self.commit else {}
        return {"metadata": metadata, "spec": {"code": code}}

    def patch(self) -> Resource:
        """The overlay as a patch of kustomize, which wants a name and takes no notice of it."""
        overlay = self.overlay()
        metadata = _merged({"name": "any"}, _part(overlay, "metadata"))
        return {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": overlay["spec"]}


def workflow(resource: Resource) -> str:
    """The workflow whose group a resource is of: a launch plan goes with its workflow."""
    part, field = ("metadata", "name") if resource.get("kind") == KIND else ("spec", "workflow")
    return str(_part(resource, part).get(field))


def text(blocks: Iterable[Block]) -> str:
    """The field `patches` of the release's kustomization."""
    return "patches:\n" + "".join(_text(block) for block in blocks)


def _text(block: Block) -> str:
    target: Resource = {"group": GROUP, "kind": KIND}
    if block.workflows:
        target["name"] = "|".join(block.workflows)  # a regular expression, which kustomize anchors
    comments = f"# release: {block.release}\n# files: sha256:{block.files}\n"
    return f"{comments}- target:\n{_indented(target)}  patch: |\n{_indented(block.patch())}"


def _indented(part: Resource) -> str:
    return "".join(f"    {line}\n" for line in yamltext.dump(part).splitlines())


def read(kustomization: str, place: str) -> tuple[Block, ...]:
    """The blocks of a release's kustomization.

    Args:
        kustomization: Its text.
        place: The file, for messages.

    Raises:
        alula.errors.UserError: it is not as `alula register` wrote it.
    """
    try:
        (found,) = manifests.documents(kustomization, place)
        releases, files = _RELEASE.findall(kustomization), _FILES.findall(kustomization)
        comments = zip(releases, files, strict=True)
        return tuple(_block(each, *above) for each, above in zip(found["patches"], comments, strict=True))
    except errors.UserError as error:
        place = error.diagnostics[0].source
    except (KeyError, TypeError, ValueError, AttributeError):
        pass
    raise _problem("the blocks of digests are not as `alula register` wrote them", place)


def _block(entry: Mapping[str, Any], release: str, files: str) -> Block:
    target = entry["target"]
    (patch,) = manifests.documents(entry["patch"], "")
    code = patch["spec"]["code"]
    bundle = code.get("bundle") or {"digest": "", "size": 0}
    names = tuple(str(target["name"]).split("|")) if "name" in target else ()
    commit = str((patch["metadata"].get("annotations") or {}).get(labels.COMMIT, ""))
    block = Block(Code(str(code["image"]), str(bundle["digest"]), int(bundle["size"])), commit, release, files, names)
    if (target["group"], target["kind"]) != (GROUP, KIND) or block.patch() != patch:
        raise ValueError("another patch than a block of digests")
    return block


def problems(blocks: Sequence[Block], workflows: Collection[str], place: str) -> Iterator[diagnostics.Diagnostic]:
    """Workflows that no block or more than one reaches, and names that nothing has: to kustomize all that is fine."""
    for name in sorted(workflows):
        count = sum(block.has(name) for block in blocks)
        if count != 1:
            what = "no block of digests names it" if not count else f"{count} blocks of digests name it"
            yield _diagnostic(f"{what}, so its image is not known", place, f"Workflow {name}")
    for name in sorted({name for block in blocks for name in block.workflows} - set(workflows)):
        yield _diagnostic(f"a block of digests names the workflow {name}, which the release has not", place)


def applied(resource: Resource, blocks: Sequence[Block]) -> Resource:
    """A resource as kustomize builds it from a release's kustomization: a Workflow gets its digests."""
    for block in blocks if resource.get("kind") == KIND else ():
        resource = _merged(resource, block.overlay()) if block.has(workflow(resource)) else resource
    return resource


def _merged(base: Mapping[str, Json], patch: Mapping[str, Json]) -> Resource:
    """A merge of objects; the blocks have no lists."""
    found = dict(base)
    for key, value in patch.items():
        old = found.get(key)
        found[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return found


def unreached(file: Resource, built: Resource, blocks: Sequence[Block]) -> bool:
    """Whether a built Workflow has nothing of its block: a target that matches nothing is silent in kustomize."""
    own, wanted, code = (_part(_part(each, "spec"), "code") for each in (file, applied(file, blocks), built))
    return wanted != own and code == own


def _part(resource: Mapping[str, Json], field: str) -> Mapping[str, Json]:
    part = resource.get(field)
    return part if isinstance(part, dict) else {}


def _diagnostic(message: str, place: str, subject: str = "") -> diagnostics.Diagnostic:
    return diagnostics.Diagnostic(codes.Code.BAD_RESOURCE, message, place, subject, hint=_AGAIN)


def _problem(message: str, place: str) -> errors.UserError:
    return errors.UserError([_diagnostic(message, place)])
