"""Pictures of Argo's web UI show a page, not a spinner or an error."""

from __future__ import annotations

import pathlib
import struct
import zlib

import pytest

from e2e.cluster import argo, clusters, screenshots
from e2e.cluster.tests import runs


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("<!doctype html><title>Argo</title><p>This build has no web UI.", "This build has no web UI"),
        ('<title>Argo</title><div id="app"></div><script src="main.5f.js"></script>', None),
    ],
)
def test_a_server_without_the_ui_says_so_on_its_front_page(page: str, said: str | None) -> None:
    assert argo.missing_ui(page) == said


def test_a_picture_of_a_run_shows_its_graph(cluster: clusters.Cluster, web_ui: str, tmp_path: pathlib.Path) -> None:
    namespace = cluster.namespace("pictures")
    cluster.apply(runs.workflow("shown", runs.template("main", "pass")), namespace)
    cluster.await_workflow(namespace, "shown")

    url = f"{web_ui}/workflows/{namespace}/shown"
    picture = screenshots.take(url, tmp_path / "run.png", text="shown", width=1000, height=700)

    width, height, rows = read_png(picture)
    assert (width, height) == (1000, 700)
    assert len({bytes(row) for row in rows}) > 100, "hardly anything was drawn"


def read_png(path: pathlib.Path) -> tuple[int, int, list[bytes]]:
    """Size and raw rows of a PNG: enough to tell a drawn page from an empty one."""
    content, position, packed = path.read_bytes(), 8, b""
    width, height = struct.unpack(">II", content[16:24])
    while position < len(content):
        (length,) = struct.unpack(">I", content[position : position + 4])
        if content[position + 4 : position + 8] == b"IDAT":
            packed += content[position + 8 : position + 8 + length]
        position += length + 12
    raw = zlib.decompress(packed)
    step = len(raw) // height
    return width, height, [raw[start : start + step] for start in range(0, len(raw), step)]
