"""A git repository, asked and changed by git's own commands: the only module that runs git on a gitops repository.

A commit is made of plumbing, beside the working tree and the index, and then taken over by one `git merge --ff-only`,
which runs in a session of its own: a command that is killed leaves the repository as it was or with the whole commit.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from alula import errors
from alula_api.contract import codes, diagnostics

MAX_FILES = 20_000
MAX_FILE_BYTES = 8 << 20
"""Of a folder of a commit that is looked at: a release is text for people."""
_PLAIN = {"100644", "100755"}
_ENVIRONMENT = {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"}
_MOVED = (b"fast-forward", b"diverging", b"cannot lock ref", b"index.lock")
"""What git says when another command commits at the same time."""
MAX_WAIT_SECONDS = 30.0
"""For another command that takes a commit over; one that needs longer is not waited for."""
_IDENTITY = 'git config user.name "NAME" and git config user.email ADDRESS'


def problem(message: str, place: str = "", hint: str = "", code: codes.Code = codes.Code.BAD_REPOSITORY) -> Exception:
    """One sentence about a repository, to be raised."""
    return errors.UserError([diagnostics.Diagnostic(code, message, place, hint=hint)])


@dataclass(frozen=True)
class Commit:
    """One entry of the history.

    Attributes:
        id: All 40 digits.
        subject: The first line of its message.
    """

    id: str
    subject: str


class Repository:
    """The working copy that holds a folder.

    Args:
        folder: The gitops folder: the working copy's root, or a folder in it.

    Raises:
        alula.errors.UserError: there is no git, no repository, or one without files beside it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = self.root = folder
        if not folder.is_dir():
            hint = "`alula init --gitops DIR` makes one; --repo names another folder"
            raise problem(f"there is no folder {folder}", hint=hint, code=codes.Code.NOT_FOUND)
        inside = self._try("rev-parse", "--is-inside-work-tree")
        if inside.returncode != 0:
            said = _said(inside)
            unsafe = "dubious ownership" in said
            raise problem(
                said if unsafe else f"{folder} is in no git repository",
                hint="" if unsafe else f"git init {folder}",
            )
        if inside.stdout.strip() != b"true":
            raise problem(f"{folder} is a bare repository: there are no files to work on", hint="clone it")
        self.prefix = os.fsdecode(self._run("rev-parse", "--show-prefix").removesuffix(b"\n"))
        self.root = Path(os.fsdecode(self._run("rev-parse", "--show-toplevel").removesuffix(b"\n")))

    def path(self, *parts: str) -> str:
        """The path in the repository of something in the gitops folder."""
        return self.prefix + "/".join(parts)

    # Looking

    def head(self) -> str:
        """The commit that is checked out; empty before the first one."""
        done = self._try("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        return done.stdout.decode().strip()

    def branch(self) -> str:
        """The branch that is checked out; empty where HEAD is detached, as in CI."""
        return os.fsdecode(self._try("symbolic-ref", "--quiet", "--short", "HEAD").stdout.strip())

    def commit(self, word: str) -> str:
        """The commit that a word of the user's names.

        Raises:
            alula.errors.UserError: there is none.
        """
        done = self._try("rev-parse", "--verify", "--quiet", "--end-of-options", f"{word}^{{commit}}")
        if done.returncode == 0:
            return done.stdout.decode().strip()
        hint = "is the name right? `git log --oneline` lists commits"
        if self.is_shallow():
            hint = "this clone is shallow: git fetch --unshallow, or fetch-depth: 0 in CI"
        raise problem(f"there is no commit {word!r} in {self.root}", hint=hint, code=codes.Code.NOT_FOUND)

    def is_shallow(self) -> bool:
        """Whether older commits are missing."""
        return self._try("rev-parse", "--is-shallow-repository").stdout.strip() == b"true"

    def changed(self, paths: Sequence[str]) -> list[str]:
        """What of some paths differs from the commit that is checked out, untracked files too."""
        words = ["status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=all", "--", *paths]
        with self._turn():
            listed = self._run(*words)
        return [os.fsdecode(each[3:]) for each in listed.split(b"\0") if each]

    def log(self, path: str, most: int, start: str = "HEAD") -> list[Commit]:
        """The newest commits that changed a path, newest first."""
        done = self._try("log", f"-{most}", "--format=%H%x00%s", "--end-of-options", start, "--", path)
        lines = done.stdout.decode(errors="replace").splitlines() if done.returncode == 0 else []
        return [Commit(*line.split("\0", 1)) for line in lines]

    def parent(self, commit: str) -> str:
        """The commit before one; empty when there is none, or none that a shallow clone has."""
        return self._try("rev-parse", "--verify", "--quiet", f"{commit}^1^{{commit}}").stdout.decode().strip()

    def differing(self, before: str, after: str) -> list[str]:
        """The files of the gitops folder that differ between two commits; empty stands for the working tree."""
        words = ["diff", "--name-only", "-z", "--no-renames", "--no-ext-diff"]
        if before and after:
            words += [before, after]
        elif not before and after:
            words += ["-R", after]
        else:
            words += [before]
        where = self.prefix or "."
        listed = self._run(*words, "--", where).split(b"\0")
        if not (before and after):
            listed += self._run("ls-files", "-z", "--others", "--exclude-standard", "--", where).split(b"\0")
        return [os.fsdecode(each) for each in listed if each]

    def export(self, commit: str, paths: Sequence[str], folder: Path) -> None:
        """Write the files that some paths have in a commit below `folder`, byte for byte, without git's filters.

        Raises:
            alula.errors.UserError: there are links or submodules among them, too many or too large files.
        """
        listed = self._entries(commit, paths)
        if not listed:
            return
        wanted = b"".join(entry.oid.encode() + b"\n" for entry in listed)
        content = self._run("cat-file", "--batch", input=wanted)
        start = 0
        for entry in listed:
            end = content.index(b"\n", start)
            size = int(content[start:end].split()[2])
            file = folder / entry.path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content[end + 1 : end + 1 + size])
            start = end + 2 + size

    def _entries(self, commit: str, paths: Sequence[str]) -> list[_Entry]:
        out = self._run("ls-tree", "-r", "-z", "--full-tree", "-l", commit, "--", *(path.rstrip("/") for path in paths))
        found: list[_Entry] = []
        problems: list[diagnostics.Diagnostic] = []
        for line in filter(None, out.split(b"\0")):
            head, _, name = line.partition(b"\t")
            mode, _, oid, size = head.decode().split()
            path = os.fsdecode(name)
            why = _refused(mode, size, path)
            if why:
                problems.append(diagnostics.Diagnostic(codes.Code.BAD_REPOSITORY, why, path))
            found.append(_Entry(path, oid))
        if len(found) > MAX_FILES:
            raise problem(f"commit {commit[:12]} has {len(found)} files there; at most {MAX_FILES} are looked at")
        if problems:
            raise errors.UserError(problems[:20])
        return found

    def tree(self, commit: str, path: str) -> str:
        """What stands for the content of a folder in a commit; empty where there is none."""
        done = self._try("rev-parse", "--verify", "--quiet", "--end-of-options", f"{commit}:{path}")
        return done.stdout.decode().strip()

    def contents(self, commit: str, path: str) -> bytes | None:
        """A file as a commit has it."""
        done = self._try("cat-file", "blob", f"{commit}:{path}")
        return done.stdout if done.returncode == 0 else None

    # Changing

    def make(self, parent: str, changes: Mapping[str, bytes | None], message: str) -> str:
        """Make a commit beside the working tree; nothing points at it yet. None removes a file.

        Raises:
            alula.errors.UserError: git does not know who commits.
        """
        if self._try("var", "GIT_COMMITTER_IDENT").returncode or self._try("var", "GIT_AUTHOR_IDENT").returncode:
            raise problem("git does not know who you are, so it cannot commit", hint=_IDENTITY)
        with tempfile.TemporaryDirectory(prefix="alula-commit-") as scratch:
            index = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
            self._run("read-tree", *([parent] if parent else ["--empty"]), env=index)
            written = {path: data for path, data in changes.items() if data is not None}
            names = [Path(scratch) / str(number) for number in range(len(written))]
            for name, data in zip(names, written.values(), strict=True):
                name.write_bytes(data)
            listed = "".join(f"{name}\n" for name in names).encode()
            oids = self._run("hash-object", "-w", "--no-filters", "--stdin-paths", input=listed).decode().split()
            lines = [f"100644 {oid}\t{path}" for path, oid in zip(written, oids, strict=True)]
            lines += [f"0 {'0' * 40}\t{path}" for path, data in changes.items() if data is None]
            self._run(
                "update-index", "-z", "--index-info", input=os.fsencode("".join(f"{x}\0" for x in lines)), env=index
            )
            tree = self._run("write-tree", env=index).decode().strip()
        parents = ["-p", parent] if parent else []
        sign = ["-S"] if self._try("config", "--type=bool", "commit.gpgSign").stdout.strip() == b"true" else []
        return self._run("commit-tree", tree, *parents, *sign, input=message.encode()).decode().strip()

    def advance(self, commit: str) -> bool:
        """Take a commit over into the working tree and the branch; False when HEAD has moved on meanwhile.

        Raises:
            alula.errors.UserError: files of the working tree are in the way.
        """
        if not self.head():
            self._run("update-ref", "HEAD", commit, "")
            self._run("checkout", "--quiet", "--force", "HEAD", "--", ".", session=True)
            return True
        # No collection of garbage in the background: it would keep the turn.
        words = ["-c", "gc.auto=0", "-c", "maintenance.auto=false", "merge", "--ff-only", "--quiet", "--no-verify"]
        with self._turn() as turn:
            done = self._try(*words, commit, session=True, keep=turn)
        if done.returncode == 0:
            return True
        if any(word in done.stderr for word in _MOVED):
            return False
        raise problem(f"git refuses to take over commit {commit[:12]}: {_said(done)}")

    def add_branch(self, name: str, commit: str) -> None:
        """Make a branch that ends with a commit, without checking it out.

        Raises:
            alula.errors.UserError: the name is none, or is taken.
        """
        if self._try("update-ref", self.ref(name), commit, "0" * 40).returncode:
            raise problem(f"there is a branch {name!r} already", hint="name another one, or delete it: git branch -d")

    def ref(self, name: str) -> str:
        """The full name of a branch.

        Raises:
            alula.errors.UserError: no branch can be called so.
        """
        if name.startswith("-") or self._try("check-ref-format", f"refs/heads/{name}").returncode:
            raise problem(f"no branch can be called {name!r}", code=codes.Code.BAD_NAME)
        return f"refs/heads/{name}"

    def push(self, commit: str, branch: str) -> None:
        """Send a commit to a branch of the first remote.

        Raises:
            alula.errors.UserError: there is no remote, or it refuses.
        """
        remote = self.remote()
        done = self._try("push", "--quiet", "--end-of-options", remote, f"{commit}:{self.ref(branch)}")
        if done.returncode:
            hint = (
                f"the branch has moved meanwhile? git pull --ff-only {remote} {branch}, and again"
                if b"rejected" in done.stderr
                else ""
            )
            raise problem(f"{remote} refuses the branch {branch}: {_said(done)}", hint=hint)

    def remote(self) -> str:
        """The remote that is pushed to: `origin`, else the only one."""
        found = os.fsdecode(self._run("remote")).split()
        if not found:
            raise problem(f"{self.root} has no remote to push to", hint="git remote add origin URL")
        return "origin" if "origin" in found else found[0]

    def url(self, remote: str) -> str:
        """Where a remote is."""
        return os.fsdecode(self._run("remote", "get-url", "--", remote)).strip()

    # Running git

    @contextmanager
    def _turn(self) -> Iterator[tuple[int, ...]]:
        """Wait until no other command takes a commit over: files and HEAD differ while git is at it.

        The lock is on an open file, so a git that it was passed on to holds it to its own end, also where the command
        that started it is killed. A platform or file system without such locks, and a repository that may not be
        written to, go without.
        """
        folder = os.fsdecode(self._run("rev-parse", "--absolute-git-dir").removesuffix(b"\n"))
        try:
            lock = os.open(Path(folder) / "alula.lock", os.O_RDWR | os.O_CREAT, 0o666)
        except OSError:
            yield ()
            return
        try:
            deadline = time.monotonic() + MAX_WAIT_SECONDS
            while not _locked(lock) and time.monotonic() < deadline:
                time.sleep(0.02)
            yield (lock,) if os.name == "posix" else ()
        finally:
            os.close(lock)

    def _run(
        self, *words: str, input: bytes = b"", env: Mapping[str, str] | None = None, session: bool = False
    ) -> bytes:
        done = self._try(*words, input=input, env=env, session=session)
        if done.returncode != 0:
            raise problem(f"git {words[0]} fails in {self.folder}: {_said(done)}")
        return done.stdout

    def _try(
        self,
        *words: str,
        input: bytes = b"",
        env: Mapping[str, str] | None = None,
        session: bool = False,
        keep: Sequence[int] = (),
    ) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(
                ["git", "-c", "core.quotePath=off", *words],
                cwd=self.root,
                input=input,
                capture_output=True,
                env={**os.environ, **_ENVIRONMENT, **(env or {})},
                check=False,
                start_new_session=session,
                pass_fds=keep,
            )
        except FileNotFoundError:
            raise problem("there is no git on PATH", hint="install git") from None


def _locked(file: int) -> bool:
    """Take the lock of an open file; False where another one has it, and True where there are no locks."""
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except (ImportError, OSError):
        return True
    return True


@dataclass(frozen=True)
class _Entry:
    path: str
    oid: str


def _refused(mode: str, size: str, path: str) -> str:
    """Why a file of a commit is not looked at; empty when it is."""
    if mode == "120000":
        return "it is a link: a gitops repository holds plain files, because a link may lead anywhere"
    if mode not in _PLAIN:
        return "it is a submodule: a gitops repository holds plain files"
    if int(size) > MAX_FILE_BYTES:
        return f"it has {size} bytes; at most {MAX_FILE_BYTES} are read"
    if ".." in PurePosixPath(path).parts or path.startswith("/"):
        return "its path leads out of the repository"
    return ""


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    text = next((line for line in lines if line.startswith(("fatal:", "error:"))), lines[0] if lines else "")
    return text.removeprefix("fatal: ").removeprefix("error: ") or f"exit code {done.returncode}"
