"""Whole compiled files beside the resources they come from, byte for byte; `make golden` writes them anew."""

from __future__ import annotations

import json

import pytest

import alula_compiler
from alula_api.kinds import yamltext
from alula_compiler import engines
from tests import argo_schemas, goldens
from tests.compiler import compiled

SMALL = engines.Limits(dag_tasks=5)


def compile_golden(name: str) -> alula_compiler.Compiled:
    """Compile a resource file; `pieces` with a limit that a reader can count to."""
    engine = compiled.ENGINE if name != "pieces" else engines.Engine(store="s3://s", releases="s3://r", limits=SMALL)
    found = compiled.compile_documents(compiled.load(name), engine)
    assert found.ok, "\n".join(one.render() for one in found.diagnostics)
    return found


@pytest.mark.parametrize("name", compiled.NAMES)
def test_compiled_objects_are_those_of_the_golden_file(name: str) -> None:
    head = f"# Compiled from ../resources/{name}.yaml; `make golden` writes this file.\n"
    goldens.check(compiled.GOLDEN / f"{name}.yaml", head + yamltext.dump_all(compile_golden(name).objects))


@pytest.mark.parametrize("name", compiled.NAMES)
def test_a_copy_from_the_cluster_compiles_to_the_same_bytes(name: str) -> None:
    documents = compiled.load(name)
    # The API server gives every object back with its keys sorted.
    copies = [json.loads(json.dumps(document, sort_keys=True)) for document in documents]
    (here, there) = (compiled.compile_documents(one) for one in (documents, copies))
    assert json.dumps(here.objects) == json.dumps(there.objects)
    assert here.revisions == there.revisions


@pytest.mark.parametrize("name", compiled.NAMES)
def test_plans_are_those_of_the_golden_file(name: str) -> None:
    head = f"# What `admit` knows of ../resources/{name}.yaml; `make golden` writes this file.\n"
    goldens.check(compiled.GOLDEN / f"{name}.plans.yaml", head + yamltext.dump_all(compile_golden(name).plans.values()))


@pytest.mark.parametrize("name", compiled.NAMES)
def test_goldens_fit_argo_s_full_schemas_with_unknown_fields_forbidden(name: str) -> None:
    argo_schemas.require()
    for found in compile_golden(name).objects:
        assert argo_schemas.problems(found) == []


@pytest.mark.parametrize("name", compiled.NAMES)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_goldens_load_as_models_of_the_argo_workflows_package(name: str) -> None:
    for found in compile_golden(name).objects:
        argo_schemas.load_as_model(found)


@pytest.mark.parametrize("name", compiled.NAMES)
def test_what_all_pods_have_in_common_stands_once_in_an_object(name: str) -> None:
    for found in compile_golden(name).objects:
        assert ("podSpecPatch" in found["spec"]) == (found["kind"] == "WorkflowTemplate")


def test_every_golden_file_has_its_resource() -> None:
    assert {path.name.split(".")[0] for path in compiled.GOLDEN.glob("*.yaml")} == set(compiled.NAMES)
