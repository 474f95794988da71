"""Opening a pull or merge request: by the forge's own command line where it is there, else by an address to open.

Called by commands with `--pr`. Nothing else of a forge is known here.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import urllib.parse
from pathlib import Path

from alula.gitops.repositories import problem

SECONDS = 60
_SCP = re.compile(r"(?:[\w.-]+@)?(?P<host>[\w.-]+):(?P<path>[^/].*)")


def request(folder: Path, url: str, branch: str, title: str, body: str) -> str:
    """Open a request for a branch that was pushed; returns what to tell people.

    Args:
        folder: A folder of the repository.
        url: Of the remote.
        branch: The branch.
        title: Of the request.
        body: Its text.

    Raises:
        alula.errors.UserError: the forge's command line refuses.
    """
    for name, words in _commands(branch, title, body).items():
        if _speaks(name, url) and (found := shutil.which(name)):
            done = subprocess.run(
                [found, *words], cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False
            )
            if done.returncode:
                raise problem(f"{name} opens no request: {done.stderr.strip() or done.stdout.strip()}")
            return done.stdout.strip().splitlines()[-1] if done.stdout.strip() else "opened a request"
    return f"open a request: {address(url, branch) or f'for the branch {branch} of {shown(url)}'}"


def _commands(branch: str, title: str, body: str) -> dict[str, list[str]]:
    return {
        "gh": ["pr", "create", "--head", branch, "--title", title, "--body", body],
        "glab": ["mr", "create", "--source-branch", branch, "--title", title, "--description", body, "--yes"],
    }


def _speaks(command: str, url: str) -> bool:
    return (command == "glab") == ("gitlab" in _parts(url)[0])


def _parts(url: str) -> tuple[str, str]:
    """Host and path of a remote, without a user, a password or `.git`; empty for a folder."""
    if "://" in url:
        split = urllib.parse.urlsplit(url)
        host, path = split.hostname or "", split.path
    elif found := _SCP.fullmatch(url):
        host, path = found["host"], found["path"]
    else:
        return "", ""
    return host, path.strip("/").removesuffix(".git")


def shown(url: str) -> str:
    """A remote as it may be printed: without credentials."""
    host, path = _parts(url)
    return f"{host}/{path}" if host else url


def address(url: str, branch: str) -> str:
    """Where to open a request by hand; empty for a remote that is no forge."""
    host, path = _parts(url)
    if not host or url.startswith("file:"):
        return ""
    name = urllib.parse.quote(branch, safe="/")
    if "gitlab" in host:
        quoted = urllib.parse.quote(branch, safe="")
        return f"https://{host}/{path}/-/merge_requests/new?merge_request%5Bsource_branch%5D={quoted}"
    if "bitbucket" in host:
        return f"https://{host}/{path}/pull-requests/new?source={urllib.parse.quote(branch, safe='')}"
    return f"https://{host}/{path}/compare/{name}?expand=1"
