"""Which files belong to a user's project.

Called by `bundles.files`. In a git work tree git decides: what is tracked, and what is not ignored. Elsewhere it is
everything but what no project means, less the patterns of the root's `.gitignore`, read in their plain form: names,
`*`, a slash at the end for folders, a slash elsewhere for the place, `!` for exceptions.
"""

from __future__ import annotations

import fnmatch
import os
import stat
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from alula_data.stores import keys

EXCLUDED = frozenset(
    (
        *(".git", ".hg", ".svn", ".alula", ".venv", "venv", "node_modules", ".env", ".DS_Store"),
        *(
            "__pycache__",
            ".ipynb_checkpoints",
            ".mypy_cache",
            ".pytest_cache",
            ".ruff_cache",
            ".hypothesis",
            ".tox",
            ".nox",
        ),
    )
)
"""Never part of a project, at any depth, whatever git says. `.env` is where people keep secrets."""

_EXCLUDED_ENDINGS = (".pyc", ".pyo")

Skip = Callable[[str, str], None]


def paths(root: Path, *, on_skip: Skip | None = None) -> Iterator[str]:
    """The project's files below `root`, as `/`-separated paths, each of which can be opened."""
    skip = on_skip or (lambda path, why: None)
    listed = _tracked(root)
    for path in listed if listed else _walked(root):
        if _is_excluded(path):
            continue
        problem = _problem(root, path)
        if problem is None:
            yield path
        elif problem:
            skip(path, problem)


def _tracked(root: Path) -> list[str]:
    """What git says; empty where git does not know the folder, or where all of it is ignored by a repository above."""
    command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except OSError:
        return []
    if done.returncode != 0:
        return []
    return sorted({os.fsdecode(path).rstrip("/") for path in done.stdout.split(b"\0") if path})


def _problem(root: Path, path: str) -> str | None:
    """Why a path cannot be packed; empty for what is merely not there, None if it can."""
    if keys.problem_of(path):
        return f"its name cannot be packed: {keys.problem_of(path)}"
    try:
        status = (root / path).stat()
    except OSError:
        return "a link that points nowhere" if (root / path).is_symlink() else ""
    if stat.S_ISDIR(status.st_mode):
        return "a link to a folder" if (root / path).is_symlink() else "a repository of its own"
    if not stat.S_ISREG(status.st_mode):
        return "neither a file nor a folder"
    if not (root / path).resolve().is_relative_to(root.resolve()):
        return "a link that leaves the project"
    return None


def _walked(root: Path) -> Iterator[str]:
    rules = _rules(root / ".gitignore")
    folders = [""]
    while folders:
        folder = folders.pop()
        for entry in sorted(os.scandir(root / folder), key=lambda entry: entry.name):
            path = f"{folder}/{entry.name}" if folder else entry.name
            is_folder = entry.is_dir(follow_symlinks=False)
            if _is_excluded(path) or _is_ignored(path, is_folder, rules):
                continue
            if not is_folder:
                yield path
            elif not (root / path / "pyvenv.cfg").exists():
                folders.append(path)


def _is_excluded(path: str) -> bool:
    return not EXCLUDED.isdisjoint(path.split("/")) or path.endswith(_EXCLUDED_ENDINGS)


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: str
    anchored: bool
    folders_only: bool
    ignores: bool


def _rules(gitignore: Path) -> list[_Rule]:
    try:
        lines = gitignore.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    found: list[_Rule] = []
    for line in lines:
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        ignores = not pattern.startswith("!")
        pattern = pattern.removeprefix("!")
        folders_only = pattern.endswith("/")
        pattern = pattern.rstrip("/").removeprefix("**/")
        found.append(_Rule(pattern.lstrip("/"), "/" in pattern, folders_only, ignores))
    return found


def _is_ignored(path: str, is_folder: bool, rules: list[_Rule]) -> bool:
    ignored = False
    name = path.rpartition("/")[2]
    for rule in rules:
        if rule.folders_only and not is_folder:
            continue
        if fnmatch.fnmatchcase(path if rule.anchored else name, rule.pattern):
            ignored = rule.ignores
    return ignored
