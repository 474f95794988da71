"""Which scenarios stay together, and in which order workers take them."""

from __future__ import annotations

from e2e import sharing


def test_real_pods_are_one_unit_and_gitops_another_and_every_other_file_is_its_own() -> None:
    assert sharing.unit("e2e/gitops/test_story.py::test_a") == sharing.unit("e2e/gitops/test_settling.py::test_b")
    assert sharing.unit("e2e/engine/test_real_pods.py::test_a") == sharing.unit(
        "e2e/real_pods/test_main_road.py::test_b"
    )
    assert sharing.unit("e2e/engine/test_running.py::test_a[x::y]") == "e2e/engine/test_running.py"


def test_files_with_the_controller_come_after_all_bare_ones_whatever_a_single_scenario_of_them_needs() -> None:
    scenarios = [
        ("e2e/main_road/test_hostile_text.py::test_there_are_a_hundred", []),
        ("e2e/main_road/test_hostile_text.py::test_all_arrive", ["installation", "cluster"]),
        ("e2e/engine/test_running.py::test_a", ["cluster"]),
        ("e2e/controller/test_runs.py::test_a", ["installation", "cluster"]),
        ("e2e/real_pods/test_main_road.py::test_a", ["real_cluster"]),
    ]
    places = sharing.places(scenarios)
    assert sorted(places, key=places.__getitem__) == [
        sharing.REAL_PODS,
        "e2e/engine/test_running.py",
        "e2e/main_road/test_hostile_text.py",
        "e2e/controller/test_runs.py",
    ]


def test_the_longest_files_are_there() -> None:
    for path in sharing.LONGEST:
        assert (sharing.ROOT / path).exists(), path
