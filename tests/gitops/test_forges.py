"""Where a pull or merge request is opened, from the address of a remote."""

from __future__ import annotations

from pathlib import Path

import pytest

from alula import errors
from alula.gitops import forges

ADDRESSES = {
    "https://github.com/acme/gitops.git": "https://github.com/acme/gitops/compare/release/x?expand=1",
    "git@github.com:acme/gitops.git": "https://github.com/acme/gitops/compare/release/x?expand=1",
    "https://ci:secret@gitlab.example.org/data/team/gitops.git": (
        "https://gitlab.example.org/data/team/gitops/-/merge_requests/new?merge_request%5Bsource_branch%5D=release%2Fx"
    ),
    "ssh://git@bitbucket.org/acme/gitops": "https://bitbucket.org/acme/gitops/pull-requests/new?source=release%2Fx",
    "/srv/git/gitops.git": "",
    "file:///srv/git/gitops.git": "",
}


@pytest.mark.parametrize("url", ADDRESSES)
def test_the_address_of_a_request_has_no_credentials(url: str) -> None:
    assert forges.address(url, "release/x") == ADDRESSES[url]
    assert "secret" not in forges.shown(url)


def fake(folder: Path, name: str, script: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def test_the_forges_own_command_line_is_used_where_it_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    words = ("release/x", "Register x; $(touch no)", "body")
    url = "https://github.com/acme/gitops.git"
    assert forges.request(tmp_path, url, *words) == f"open a request: {ADDRESSES[url]}"
    fake(tmp_path, "gh", 'printf "%s\\n" "$@" > said; echo https://github.com/acme/gitops/pull/7')
    assert forges.request(tmp_path, url, *words) == "https://github.com/acme/gitops/pull/7"
    said = (tmp_path / "said").read_text().splitlines()
    assert said == ["pr", "create", "--head", "release/x", "--title", "Register x; $(touch no)", "--body", "body"]
    gitlab = "https://gitlab.example.org/acme/gitops.git"
    assert forges.request(tmp_path, gitlab, *words).startswith("open a request: https://gitlab.example.org/")
    fake(tmp_path, "glab", "echo no token >&2; exit 1")
    with pytest.raises(errors.UserError, match="glab opens no request: no token"):
        forges.request(tmp_path, gitlab, *words)
