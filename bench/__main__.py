"""`make bench`: each figure beside the floor that was measured in the same run, and beside the peers' ratios.

Peers' columns are ratios to the same floors, taken from measurements of them on a machine of this kind (CPython 3.12,
2 cores; flytekit 1.16.31, Flyte 2.12.1, Hera 7.1.0, KFP 2.17.0): a ratio travels between machines, a time does not.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from alula.emit import kustomize
from bench import graphs, measuring, releases

MS, US = 1e-3, 1e-6
KFP = "ALULA_BENCH_KFP"
"""The interpreter of an environment in which kfp is installed: its executor is then measured in the same run."""


def main() -> int:
    """Print all tables as Markdown."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for table in (starting, compiling, running, storing, digesting, sharing, walking, releasing):
            sys.stdout.write(table(Path(folder)) + "\n")
            sys.stdout.flush()
    return 0


def starting(folder: Path) -> str:
    """Whole processes, against a bare interpreter."""
    module = graphs.write_module(folder, "pod_flow", graphs.tasks("chain", 3))
    kfp = os.environ.get(KFP, "")
    graphs.write_module(folder, "three", graphs.tasks("chain", 3))
    bare, imported, helped, ran, pod, *peer = measuring.processes(
        (["-c", "pass"], {}),
        (["-c", "from alula import task, workflow"], {}),
        (["-m", "alula", "--help"], {}),
        (["-m", "alula", "run", "three.py"], {}),
        graphs.pod(module, folder),
        *([graphs.kfp_executor(kfp, folder)] if kfp else []),
    )
    beside = f"kfp {peer[0].text(MS, 'ms')}, so {pod.median / peer[0].median:.2f} of it" if peer else "kfp 6x"
    return table(
        "Starting (CPU of the whole process; floor: `python -c pass`)",
        [
            ("bare interpreter", bare.text(MS, "ms"), "1", ""),
            row("import alula", imported, bare, "flytekit 67x, Flyte 2 13x, Hera 69x, KFP 40x"),
            row("alula --help", helped, bare, "pyflyte 90x, flyte 53x, kfp 52x, hera 18x"),
            row("alula run of 3 tasks", ran, bare, "metaflow 27x before its first step"),
            row("pod entry, int -> int", pod, bare, f"pyflyte-execute 66x, flyte a0 63x, hera 68x, {beside}"),
        ],
    )


def compiling(folder: Path) -> str:
    """Trace and emit to the file in git, and compile to Argo, against a plain dict through PyYAML's C dumper."""
    rows = []
    for shape in ("chain", "fan"):
        for count in (1000, 5000):
            module = graphs.write_module(folder, f"{shape}_{count}", graphs.tasks(shape, count))
            emit, floor = measuring.calls(graphs.emitter(module), graphs.dumper(count), runs=3)
            note = PEERS_COMPILE.get((shape, count), "")
            rows.append(row(f"trace + emit, {shape} of {count}", emit, floor, note))
        module = graphs.write_module(folder, f"{shape}_argo", graphs.tasks(shape, 1000))
        compiled, floor = measuring.calls(graphs.compiler(module), graphs.dumper(1000), runs=3)
        rows.append(row(f"compile to Argo, {shape} of 1000", compiled, floor, ""))
    module = graphs.write_module(folder, "map_argo", graphs.tasks("map", 1000))
    emit, compiled, floor = measuring.calls(
        graphs.emitter(module), graphs.compiler(module), graphs.dumper(1000), runs=3
    )
    rows.append(row("trace + emit, map over 1000", emit, floor, ""))
    rows.append(row("compile to Argo, map over 1000", compiled, floor, ""))
    for shape, count, what in (
        ("batches", 10_000, "map over 10,000 in batches"),
        ("branches", 600, "1,200 branches"),
    ):
        module = graphs.write_module(folder, f"{shape}_argo", graphs.tasks(shape, count))
        emit, compiled, floor = measuring.calls(
            graphs.emitter(module), graphs.compiler(module), graphs.dumper(count), runs=3
        )
        rows.append(row(f"trace + emit, {what}", emit, floor, ""))
        rows.append(row(f"compile to Argo, {what}", compiled, floor, ""))
    return table("Compiling (CPU; floor: the same Argo manifest as a plain dict through yaml.CSafeDumper)", rows)


PEERS_COMPILE = {
    ("chain", 1000): "flytekit 2.2x, dagster 4.6x, Hera 3.6x, KFP 97x",
    ("chain", 5000): "flytekit 2.1x, dagster RecursionError, Hera 3.9x, KFP 895x",
    ("fan", 1000): "flytekit 2.2x, dagster 2.2x, Hera 7.3x, KFP 94x",
    ("fan", 5000): "flytekit 2.0x, dagster 2.1x, Hera 24x",
}


def running(folder: Path) -> str:
    """A chain of 1,000 tasks here, and again from the cache; floors: json round trips, forks, a sqlite lookup each."""
    subprocess.run(["git", "init", "-q", "."], cwd=folder, check=True)
    plain = graphs.write_module(folder, "local_plain", graphs.tasks("chain", 1000))
    cached = graphs.write_module(folder, "local_cached", graphs.tasks("chain", 1000, cache=True))
    mapped = graphs.write_module(folder, "local_map", graphs.tasks("map", 1000))
    graphs.apart(cached)()
    run, apart, forks, threads, hit, alone, floor, sqlite, each = measuring.calls(
        graphs.run(plain),
        graphs.apart(plain),
        graphs.forks(1000),
        graphs.threaded(plain),
        graphs.run(cached),
        graphs.alone(plain, 1000),
        graphs.json_round_trips(1000),
        graphs.sqlite(folder),
        graphs.run(mapped),
    )
    return table(
        "Running locally (CPU for 1,000 tasks; floor: 1,000 JSON round trips, forks or sqlite lookups)",
        [
            row("a chain of 1,000", run, floor, "flytekit 1770 ms, Flyte 2 1160 ms, prefect 8000 ms, dagster 14200 ms"),
            row("a chain of 1,000, a process each", apart, forks, "KFP 124000 ms, Metaflow 589000 ms"),
            row("a chain of 1,000 in threads", threads, floor, "flytekit 1770 ms, dagster 14200 ms"),
            row("the same from the cache", hit, sqlite, "flytekit 35x, Flyte 2 77x"),
            row("1,000 tasks called alone", alone, floor, "flytekit 1790 ms"),
            row("a map over 1,000", each, floor, ""),
            row("the same, to a plain loop of calls", each, alone, ""),
        ],
    )


def storing(folder: Path) -> str:
    """A frame to a file and back; what we add to pandas is the proof that reading gives back what was written."""
    travel, floor = measuring.calls(*graphs.frames(folder, 1_000_000))
    return table(
        "Storing a frame of 1,000,000 rows (CPU; floor: pandas writing and reading it with the same compression)",
        [row("written, proved and read", travel, floor, "flytekit 1.35x, Flyte 2 1.0x, of snappy instead of zstd")],
    )


def digesting(folder: Path) -> str:
    """The version of a cached task; floor: a process that imports the same code."""
    argv, root = graphs.project(folder, 200)
    here = {"PYTHONPATH": str(root)}
    digest, floor = measuring.processes((argv, here), (["-c", "import flow"], here))
    return table(
        "The code of a cached task (CPU of the whole process; floor: importing the project)",
        [row("a digest over 200 modules", digest, floor, "")],
    )


def sharing(folder: Path) -> str:
    """What tasks at the same time take together: a template and what is forked from it share most of it."""
    one, eight = graphs.memory(folder, 1), graphs.memory(folder, 8)
    return table(
        "Memory of parallel tasks (a project with pandas; proportional set sizes)",
        [
            ("one task", f"{one:.0f} MiB", "1x", ""),
            ("8 tasks at the same time", f"{eight:.0f} MiB", f"{eight / one:.2g}x", "8x where each is an interpreter"),
        ],
    )


def walking(folder: Path) -> str:
    """How a graph proceeds, without its tasks: what the local runner and admission have in common."""
    del folder
    walk, floor = measuring.calls(graphs.walk(1000), graphs.dictionary_walk(1000), runs=15)
    return table(
        "Walking (CPU; floor: graphlib.TopologicalSorter over the same chain)",
        [
            row(
                "the walk of a chain of 1,000",
                walk,
                floor,
                "flattening and scheduling, before there was one walk, 2.5x",
            )
        ],
    )


def releasing(folder: Path) -> str:
    """A gitops repository: each command as a whole process, with its imports and with what kustomize takes."""
    project = releases.repository(folder)
    builder = kustomize.builder()
    assert builder is not None
    wanted = releases.commands(project)
    built = ([*builder, str(project / "gitops/bench/dev")], {})
    imports = (["-c", "import alula.cli.verify, alula.gitops.verify, alula_compiler"], {})
    floor, loaded, *figures = measuring.processes(built, imports, *wanted.values(), runs=3)
    return table(
        f"Releasing {releases.WORKFLOWS} workflows (CPU; floor: one build of a domain by kustomize)",
        [
            ("kustomize builds a domain", floor.text(MS, "ms"), "1", ""),
            row("the imports of a command", loaded, floor, ""),
            *(row(what, figure, floor, "") for what, figure in zip(wanted, figures, strict=True)),
        ],
    )


def row(what: str, figure: measuring.Figure, floor: measuring.Figure, peers: str) -> tuple[str, str, str, str]:
    """One line: the figure, and its ratio to the floor of the same run."""
    return what, figure.text(MS, "ms"), f"{figure.median / floor.median:.2g}x", peers


def table(title: str, rows: list[tuple[str, str, str, str]]) -> str:
    """A Markdown table."""
    lines = [f"## {title}", "", "| what | alula | to the floor | peers, to theirs |", "|---|---|---|---|"]
    return "\n".join(lines + [f"| {' | '.join(cells)} |" for cells in rows]) + "\n"


if __name__ == "__main__":
    sys.exit(main())
