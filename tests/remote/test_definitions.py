"""Before a run is started: what the cluster has must be there, be compiled, and be what the file says."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from alula.emit import bundling, digests, resources
from alula.remote import connections, definitions, refusals
from alula.remote.refusals import RemoteError
from alula_api.contract.codes import Code
from alula_api.contract.graphs.specs import WorkflowSpec
from tests.remote import projects, servers
from tests.remote.conftest import Clock
from tests.remote.servers import NAMESPACE, OURS


class Search:
    """Looks for `train` or `nightly` of a module and remembers what was said."""

    def __init__(self, cluster: connections.Connection, clock: Clock, root: Path) -> None:
        self.cluster, self.clock, self.root = cluster, clock, root
        self.said: list[str] = []

    def __call__(self, target: Any, *, synced: bool = False) -> definitions.Found:
        return definitions.find(
            self.cluster, target, self.root, synced=synced, sleep=self.clock.sleep, say=self.said.append
        )

    def refused(self, target: Any, code: Code = Code.CLUSTER) -> str:
        with pytest.raises(RemoteError) as raised:
            self(target)
        (problem,) = raised.value.diagnostics
        assert problem.code == code
        return problem.render()


@pytest.fixture
def search(cluster: connections.Connection, clock: Clock, tmp_path: Path) -> Search:
    return Search(cluster, clock, tmp_path / "project")


@pytest.fixture
def module(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    return projects.load(projects.write(tmp_path / "project", f"definitions_{abs(hash(request.node.name))}"))


def serve(server: servers.Server, module: Any, *found: Any) -> None:
    server.on("GET", f"{OURS}/workflows/{module.train.name}", *(found or [projects.workflow(module)]))
    server.on("GET", f"{OURS}/launchplans/nightly", projects.plan(module))


def test_a_workflow_that_is_ready_and_the_same_is_found(server: servers.Server, search: Search, module: Any) -> None:
    serve(server, module)
    found = search(module.train)
    name = module.train.name
    assert (found.title, found.template, found.revision) == (name, name, f"{name}-1a2b3c4d")
    assert found.spec.version == "0a1b2c3d"
    assert search.said == []


def test_a_launch_plan_is_started_from_its_own_template(server: servers.Server, search: Search, module: Any) -> None:
    serve(server, module)
    found = search(module.nightly)
    assert (found.title, found.template, found.revision) == ("nightly", "lp-nightly", "lp-nightly-1a2b3c4d")


def test_a_workflow_that_is_not_there_is_told_with_the_nearest(
    server: servers.Server, search: Search, module: Any
) -> None:
    near = module.train.name.replace("train", "trian")
    server.on("GET", f"{OURS}/workflows", {"items": [{"metadata": {"name": near}}, {"metadata": {"name": "other"}}]})
    said = search.refused(module.train, Code.UNKNOWN_WORKFLOW)
    assert f"there is no workflow {module.train.name} in namespace {NAMESPACE}\n  hint: did you mean {near}?" in said


def test_a_launch_plan_that_is_not_there_is_told(server: servers.Server, search: Search, module: Any) -> None:
    serve(server, module)
    server.answers.pop(("GET", f"{OURS}/launchplans/nightly"))
    server.on("GET", f"{OURS}/launchplans", {"items": [{"metadata": {"name": "weekly-report"}}]})
    said = search.refused(module.nightly, Code.UNKNOWN_LAUNCH_PLAN)
    assert f"there is no launch plan nightly in namespace {NAMESPACE}" in said
    assert "register the file" in said


def test_an_empty_namespace_is_most_likely_the_wrong_one(server: servers.Server, search: Search, module: Any) -> None:
    server.on("GET", f"{OURS}/workflows", {"items": []})
    assert "no workflow is there at all: check --project, --domain" in search.refused(
        module.train, Code.UNKNOWN_WORKFLOW
    )


def test_a_cluster_without_alula_is_told(server: servers.Server, search: Search, module: Any) -> None:
    said = search.refused(module.train)
    assert f"the cluster at {server.host} does not know alula's workflows\n  hint: is alula installed there?" in said


def test_a_definition_that_does_not_compile_is_told_with_the_reason(
    server: servers.Server, search: Search, module: Any
) -> None:
    stalled = projects.workflow(module, status="False", reason="Invalid", message="error EDGE_TYPE: int is not a str")
    serve(server, module, stalled)
    said = search.refused(module.train)
    assert f"workflow {module.train.name} is not ready: error EDGE_TYPE: int is not a str" in said
    assert f"kubectl describe workflows.alula.dev {module.train.name} -n {NAMESPACE}" in said
    assert search.clock.slept == []


def unlooked(module: Any) -> dict[str, Any]:
    """Applied a moment ago: the status is that of the generation before."""
    found = projects.workflow(module)
    found["metadata"]["generation"] = 2
    return found


@pytest.mark.parametrize("how", ["without a status", "with an old status", "while it is reconciled"])
def test_a_definition_that_was_applied_a_moment_ago_is_waited_for(
    how: str, server: servers.Server, search: Search, module: Any
) -> None:
    done = projects.workflow(module)
    reconciling = {"conditions": [{**projects.READY, "status": "False"}, {**projects.READY, "type": "Reconciling"}]}
    before = {
        "without a status": {key: value for key, value in done.items() if key != "status"},
        "with an old status": unlooked(module),
        "while it is reconciled": {**done, "status": reconciling},
    }[how]
    serve(server, module, before, before, done)
    assert search(module.train).spec == WorkflowSpec.from_json(done["spec"])
    assert search.said == [f"waiting for the controller to compile workflow {module.train.name}"]
    assert search.clock.slept == [definitions.PAUSE_SECONDS] * 2


def test_a_definition_that_is_never_compiled_is_not_waited_for_for_ever(
    server: servers.Server, search: Search, module: Any
) -> None:
    serve(server, module, unlooked(module))
    said = search.refused(module.train)
    assert f"workflow {module.train.name} has not been compiled within 30 s" in said
    assert "does the controller of alula run?" in said


def test_what_the_controller_says_meanwhile_is_told_in_the_end(
    server: servers.Server, search: Search, module: Any
) -> None:
    found = projects.workflow(module, status="False", reason="NameTaken", message="another Workflow made that template")
    found["status"]["conditions"].append({**projects.READY, "type": "Reconciling"})
    serve(server, module, found)
    assert "has not been compiled within 30 s: another Workflow made that template" in search.refused(module.train)


def test_an_api_server_that_hiccups_is_asked_again(server: servers.Server, search: Search, module: Any) -> None:
    serve(server, module, servers.refused(503, "starting"), servers.GONE, projects.workflow(module))
    assert search(module.train).spec.version == "0a1b2c3d"
    (said,) = search.said
    assert said.endswith("503 starting; trying again")


def test_an_api_server_that_stays_away_is_told(server: servers.Server, search: Search, module: Any) -> None:
    serve(server, module, servers.refused(503, "starting"))
    assert f"the cluster could not read workflow {module.train.name}: 503 starting" in search.refused(module.train)
    assert tuple(search.clock.slept) == refusals.SOON


def test_a_file_that_is_out_of_step_is_refused_with_what_differs(
    server: servers.Server, search: Search, module: Any
) -> None:
    there = projects.workflow(module)
    there["spec"]["inputs"][0]["default"] = "8"
    there["spec"]["tasks"][0]["entrypoint"] = "flows:other"
    serve(server, module, there)
    said = search.refused(module.train, Code.OUT_OF_STEP)
    name = module.train.name
    assert f"the cluster's {name} (version 0a1b2c3d) is not what the file says: input seed differs (default); " in said
    assert "task fit differs (entrypoint)" in said
    assert "--synced" in said
    assert search(module.train, synced=True).spec == WorkflowSpec.from_json(there["spec"])


def test_a_node_of_a_run_has_its_line_in_the_file_that_agrees(
    server: servers.Server, search: Search, module: Any
) -> None:
    serve(server, module)
    node = module.train.graph.nodes[0]
    assert search(module.train).sources["main", node.id] == str(node.source)
    assert search(module.train, synced=True).sources == {}


def test_a_definition_of_another_version_of_alula_is_refused(
    server: servers.Server, search: Search, module: Any
) -> None:
    there = projects.workflow(module)
    there["spec"]["inputs"][0]["type"] = {"type": "integer"}
    serve(server, module, there)
    said = search.refused(module.train, Code.OUT_OF_STEP)
    assert (
        f"the cluster's {module.train.name} cannot be read: spec.inputs[0].type must be a text, not an object" in said
    )


def test_many_differences_are_counted(server: servers.Server, search: Search, module: Any) -> None:
    there = projects.workflow(module)
    there["spec"]["inputs"] = [{"name": f"x{n}", "type": "int"} for n in range(9)]
    serve(server, module, there)
    assert "; and 7 more" in search.refused(module.train, Code.OUT_OF_STEP)


def test_a_launch_plan_with_other_values_is_out_of_step(server: servers.Server, search: Search, module: Any) -> None:
    serve(server, module)
    there = copy.deepcopy(projects.plan(module))
    there["spec"]["fixedInputs"][0]["value"] = "43"
    server.on("GET", f"{OURS}/launchplans/nightly", there)
    assert "nightly is not what the file says: fixed value seed differs (value)" in search.refused(
        module.nightly, Code.OUT_OF_STEP
    )
    assert search(module.nightly, synced=True).template == "lp-nightly"


def test_a_project_whose_files_are_not_those_of_the_bundle_is_out_of_step(
    server: servers.Server, search: Search, module: Any
) -> None:
    code = bundling.write(search.root, resources.Code("penguins:1"), search.root.parent / "bundles")
    there = projects.workflow(module)
    there = digests.applied(there, [digests.Block(code)])
    serve(server, module, there)
    assert search(module.train).spec == WorkflowSpec.from_json(there["spec"])
    (search.root / "helper.py").write_text("x = 1\n")
    said = search.refused(module.train, Code.OUT_OF_STEP)
    assert f"the project's files are not those of its code bundle {code.bundle_digest[:12]}" in said
