"""`alula diff`: what a change means, in few lines and the right order."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from alula.gitops import clusters, snapshots
from alula.gitops.layout import Place
from alula_api.contract import labels
from tests.gitops.conftest import SOURCE, Gitops


def lines(gitops: Gitops, *words: str) -> list[str]:
    done = gitops("diff", *words)
    assert done.code == 0, done.err
    return done.out.splitlines()


def test_what_is_not_committed_is_compared_without_words(gitops: Gitops) -> None:
    done = gitops("diff")
    assert (done.code, done.out, done.err) == (0, "", "nothing differs between HEAD and the working tree\n")


CHANGES = {
    "a timeout, in two workflows": (
        ("10m", "20m"),
        ["~ workflows penguins-count, penguins-train, task load: timeout 10m → 20m"],
    ),
    "resources": (
        ("1Gi", "2Gi"),
        [
            "~ workflows penguins-count, penguins-train, task fit: resources requests.memory 1Gi → 2Gi",
            "~ workflows penguins-count, penguins-train, task fit: resources limits.memory 1Gi → 2Gi",
        ],
    ),
    "a cache version": (
        ('cache=Cache("1"), timeout', 'cache=Cache("2"), timeout'),
        [
            "~ workflows penguins-count, penguins-train, task load: cache 1 → 2",
            "> workflows penguins-count, penguins-train: runs again: load (version)",
            "> workflows penguins-count, penguins-train: runs again if what it reads comes out otherwise: fit",
        ],
    ),
    "a constant": (
        ("trees=1)", "trees=2)"),
        [
            "~ workflow penguins-count, graph: other inputs or order of node fit",
            "> workflow penguins-count: runs again: fit (input trees)",
            "> workflow penguins-count: stays cached: load",
        ],
    ),
    "a default": (
        ('def train(day: str = "today", trees: int = 10)', 'def train(day: str = "today", trees: int = 11)'),
        [
            "~ workflow penguins-train, input trees: default 10 → 11",
            "> workflow penguins-train: runs again if what it reads comes out otherwise: fit",
            "> workflow penguins-train: stays cached: load",
        ],
    ),
    "a wider type": (
        ('def train(day: str = "today", trees: int = 10)', 'def train(day: str | None = "today", trees: int = 10)'),
        None,
    ),
    "an input more": (
        (
            'def train(day: str = "today", trees: int = 10)',
            'def train(day: str = "today", trees: int = 10, *, log: bool)',
        ),
        ["! workflow penguins-train, input log: added, bool: every run must give it"],
    ),
    "a value of a plan": (
        ('"yesterday"', '"monday"'),
        ['~ launch plan nightly, input day: "yesterday" → "monday"'],
    ),
}


@pytest.mark.parametrize("change", [each for each in CHANGES if CHANGES[each][1]])
def test_each_change_has_its_line(gitops: Gitops, change: str) -> None:
    (old, new), expected = CHANGES[change]
    assert old in SOURCE
    gitops.write(SOURCE.replace(old, new))
    gitops.register()
    head, *found = lines(gitops)
    assert head.startswith("penguins/dev: penguins ")
    assert [line.strip() for line in found] == expected


def test_a_removed_input_breaks_those_that_give_it_and_fails_the_gate(gitops: Gitops) -> None:
    without = SOURCE.replace('def train(day: str = "today", ', "def train(").replace(
        "fit(load(day), trees)", "fit(load(), trees)"
    )
    gitops.write(without.replace('inputs={"day": "yesterday"}', "inputs={}"))
    gitops.register()
    done = gitops("diff", "--fail-on", "breaking")
    assert done.code == 1
    assert done.out.splitlines()[0].endswith(", 1 breaking change")
    assert done.out.splitlines()[1] == '  ! workflow penguins-train, input day: removed (was str = "today")'
    assert gitops("diff", "HEAD", "HEAD", "--fail-on", "any").code == 0


def test_domains_commits_and_the_working_tree_are_named_alike(gitops: Gitops) -> None:
    assert gitops("promote", "--from", "dev", "--to", "prod").code == 0
    first = gitops.registered(SOURCE.replace("10m", "20m"), image="penguins:2")
    expected = [
        "workflows penguins-count, penguins-train, image: penguins:1 → penguins:2",
        "workflows penguins-count, penguins-train, task load: timeout 10m → 20m",
    ]
    for words in (
        ("prod", "dev"),
        ("penguins/prod", "penguins/dev"),
        ("HEAD~1", "HEAD"),
        ("HEAD~1:dev", "."),
        (f"{first}~1", "HEAD:dev"),
    ):
        assert [line[4:] for line in lines(gitops, *words)[1:]] == expected, words
    assert gitops("diff", "HEAD~1:prod", "HEAD").out == ""
    done = gitops("diff", "nowhere")
    assert (done.code, "there is no commit 'nowhere'" in done.err) == (1, True)


def test_twenty_workflows_with_one_changed_timeout_are_one_line(gitops: Gitops) -> None:
    more = "".join(
        f'\n@workflow\ndef w{n}(day: str = "today") -> int:\n    return fit(load(day), trees={n})\n' for n in range(18)
    )
    gitops.registered(SOURCE + more)
    gitops.write((SOURCE + more).replace("10m", "20m"))
    gitops.register()
    assert [line.strip() for line in lines(gitops)[1:]] == ["~ 20 workflows, task load: timeout 10m → 20m"]


def test_compiled_objects_come_last_and_are_folded_in_a_comment(gitops: Gitops) -> None:
    gitops.write(SOURCE.replace("10m", "20m"))
    gitops.register()
    found = lines(gitops, "--compiled")
    assert any(line.startswith("  WorkflowTemplate penguins-train: +") for line in found[2:])
    comment = gitops("diff", "-o", "markdown").out
    assert comment.startswith("### penguins/dev: penguins ")
    assert "<details><summary>3 compiled objects change</summary>" in comment
    assert comment.count("```") % 2 == 0
    (parsed,) = json.loads(gitops("diff", "-o", "json").out)
    assert [each["text"] for each in parsed["changes"]] == ["timeout 10m → 20m"] * 2
    assert {each["object"] for each in parsed["objects"]} >= {"WorkflowTemplate penguins-train"}


def test_a_comment_is_no_place_for_links_and_mentions(gitops: Gitops) -> None:
    gitops.write(SOURCE.replace('"yesterday"', '"@all <b>[x](http://y) `z`"'))
    gitops.register()
    line = next(
        line for line in gitops("diff", "-o", "markdown").out.splitlines() if "fixed" in line or "input day" in line
    )
    assert "@all" not in line
    assert "<b>" not in line and "\\[x\\]" in line and "\\`z\\`" in line


@pytest.fixture
def cluster(gitops: Gitops, monkeypatch: pytest.MonkeyPatch) -> dict[clusters.Identity, dict[str, Any]]:
    """A cluster to which Argo CD has applied what git has: its definitions, as the API server gives them."""
    git = snapshots.read(gitops.folder, Place("penguins", "dev"))
    found: dict[clusters.Identity, dict[str, Any]] = {}
    for each in git.built:
        resource = copy.deepcopy(each.resource)
        resource["metadata"] |= {"uid": "u", "resourceVersion": "7", "generation": 1, "managedFields": []}
        annotations = resource["metadata"].setdefault("annotations", {})
        annotations |= {"argocd.argoproj.io/tracking-id": "x", labels.RUN_REQUESTED: "ada"}
        found[str(resource["kind"]), str(resource["metadata"]["name"])] = {**resource, "status": {"revision": "r"}}
    domain = {"metadata": {"name": "domain"}, "spec": {}}
    monkeypatch.setattr(clusters, "read", lambda context, place, argocd: clusters.ClusterState(found, domain=domain))
    return found


def test_a_cluster_that_has_what_git_has_differs_in_nothing_down_to_compiled_objects(
    gitops: Gitops, cluster: dict[clusters.Identity, dict[str, Any]]
) -> None:
    assert cluster
    for words in (["@cluster", "."], ["HEAD", "@cluster"], ["@cluster:dev"]):
        done = gitops("diff", "-o", "json", "--fail-on", "any", *words)
        assert (done.code, json.loads(done.out)) == (0, []), words


def test_what_a_commit_will_change_on_a_cluster_is_said_as_between_commits(
    gitops: Gitops, cluster: dict[clusters.Identity, dict[str, Any]]
) -> None:
    tasks = cluster["Workflow", "penguins-train"]["spec"]["tasks"]
    next(each for each in tasks if each["name"] == "load")["timeout"] = "1h"
    del cluster["Workflow", "penguins-count"]
    done = gitops("diff", "@cluster", ".")
    assert done.out.splitlines() == [
        "penguins/dev: 2 changes",
        "  ~ workflow penguins-train, task load: timeout 1h → 10m",
        "  ~ workflow penguins-count: added",
    ]
    compiled = gitops("diff", "@cluster", ".", "--compiled").out
    assert "  WorkflowTemplate penguins-count: +" in compiled
    assert "-0\n" in compiled
