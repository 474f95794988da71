"""`python -m bench.controller`: the controller on real servers beside a bare kopf operator, and a takeover.

Sizes by the environment: ALULA_BENCH_DEFINITIONS (1000), ALULA_BENCH_PAST_RUNS (10000), ALULA_BENCH_RUNS (200). Every
figure is printed as soon as it is there. Both processes share the machine with the servers, so times are upper bounds;
memory is the resident set of each process.
"""

from __future__ import annotations

import concurrent.futures
import functools
import os
import pathlib
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable
from typing import Any

from alula_api.contract import labels
from bench import cached_chains, queues, schedules, takeover
from e2e import installing
from e2e.cluster import clusters, processes, starting
from e2e.controller import definitions

DEFINITIONS = int(os.environ.get("ALULA_BENCH_DEFINITIONS", "1000"))
PAST_RUNS = int(os.environ.get("ALULA_BENCH_PAST_RUNS", "10000"))
RUNS = int(os.environ.get("ALULA_BENCH_RUNS", "200"))
PER_SECOND = 50
NODES = 1000
IDLE_SECONDS = 30.0
PORT = 8080


def main() -> int:
    """Print all figures as a Markdown table."""
    _row("what", "figure")
    _row("---", "---")
    found = takeover.measure(300_000, 1000)
    _row("a new run worked on after a takeover, 300,000 runs passed, 1,000 wait", f"{found.seconds:.2f} s")
    _row("memory that 300,000 runs which came and went left in a standby", f"{found.mebibytes:.1f} MiB")
    _row("telling a standby of 300,000 runs, to the floor", f"{found.standby_seconds / found.floor_seconds:.2g}x")
    _row("one decision of a queue in which 1,000 runs wait", f"{1000 * queues.measure(1000):.0f} ms of CPU")
    timed = schedules.measure(10_000)
    _row("10,000 schedules at rest, looked at once a second", f"{timed.look:.1e} of a core, {timed.mebibytes:.0f} MiB")
    _row("one such look, to a look at a bare heap", f"{timed.look / timed.floor:.2g}x")
    _row("10,000 schedules decided after a takeover", f"{timed.deciding:.1f} s of CPU")
    chain = cached_chains.measure(1000, 0.012)
    assert (chain.first_filled, chain.second_filled) == (1000, 1000)
    what = "admission of a cached chain of 1,000, 12 ms a request to the store"
    _row(f"{what}, with an earlier run of its inputs", f"{chain.second:.1f} s")
    _row("the same without one, given 60 s for it", f"{chain.first:.1f} s")
    cluster = starting.start("bench")
    try:
        with cluster.entered():
            _on(cluster)
    finally:
        cluster.stop(keep_logs=False)
    return 0


def _on(cluster: clusters.Cluster) -> None:
    installation = installing.Installation(cluster)
    place = installation.place("bench", "dev", "off")
    api, space = cluster.api, place.namespace
    _wait(lambda: _metrics().get("alula_leader") == 1.0)
    before, began, cpu = _metrics(), time.monotonic(), _both()
    _side_by_side(
        cluster, [lambda n=n: api.create(definitions.workflow(f"w{n:05d}"), space) for n in range(DEFINITIONS)]
    )
    created = time.monotonic() - began
    _wait(lambda: _compiled(place) >= DEFINITIONS, 3600)
    seconds = time.monotonic() - began
    _row(f"{DEFINITIONS} definitions, created in {created:.0f} s, all compiled", f"{seconds:.1f} s")
    _row("definitions a second, with the servers on the same cores", f"{DEFINITIONS / seconds:.1f}")
    spent = (_both() - cpu) / DEFINITIONS
    _row("CPU of the controller a definition", f"{1000 * spent:.0f} ms: {1 / spent:.0f} a second and core")
    _settled()
    _row("API calls a definition", f"{(_calls(_metrics()) - _calls(before)) / DEFINITIONS:.1f}")
    _large(place)
    _past(cluster, place)
    _restarted(cluster, installation)
    _at_rest(installation)
    _admissions(cluster, place)


def _large(place: installing.Place) -> None:
    """One Workflow of a thousand nodes: from its creation to its template, three times; the best of them."""
    seconds = []
    for number in range(3):
        name, api = f"chain-{number}", place.cluster.api
        nodes = [definitions.node("n0", "add", a={"value": "1"}, b={"value": str(number)})]
        nodes += [
            definitions.node(f"n{n}", "add", a=definitions.out(f"n{n - 1}"), b={"value": "1"}) for n in range(1, NODES)
        ]
        began = time.monotonic()
        api.create(definitions.workflow(name, nodes), place.namespace)
        _wait(lambda name=name: _has(place, name))
        seconds.append(time.monotonic() - began)
    shown = ", ".join(f"{each:.2f}" for each in sorted(seconds))
    _row(f"a Workflow of {NODES} nodes, created to its template applied", f"{shown} s")


def _has(place: installing.Place, name: str) -> bool:
    found = place.cluster.api.list(installing.ARGO, "WorkflowTemplate", place.namespace, f"{labels.WORKFLOW}={name}")
    return bool(found)


def _past(cluster: clusters.Cluster, place: installing.Place) -> None:
    """Runs that are over, as Argo leaves them."""
    began = time.monotonic()
    create = functools.partial(cluster.api.create, namespace=place.namespace)
    _side_by_side(cluster, [functools.partial(create, _over(number)) for number in range(PAST_RUNS)])
    _row(f"({PAST_RUNS} past runs made in", f"{time.monotonic() - began:.0f} s)")


def _over(number: int) -> dict[str, Any]:
    marks = {
        labels.REVISION: "r",
        labels.WORKFLOW: "w",
        "workflows.argoproj.io/completed": "true",
        "workflows.argoproj.io/phase": "Succeeded",
    }
    metadata = {"name": f"past-{number:06d}", "labels": marks, "annotations": {"note": "x" * 1000}}
    spec = {"workflowTemplateRef": {"name": "w"}}
    status = {"phase": "Succeeded", "finishedAt": "2026-11-01T00:00:00Z"}
    return {"apiVersion": installing.ARGO, "kind": "Workflow", "metadata": metadata, "spec": spec, "status": status}


def _restarted(cluster: clusters.Cluster, installation: installing.Installation) -> None:
    """From the start to settled, and memory, beside the bare operator."""
    installation.kill()
    environment = {"KUBECONFIG": str(installation._account.kubeconfig)}
    bare = cluster.spawn("bare-operator", [sys.executable, "-m", "bench.bare_operator"], environment)
    time.sleep(IDLE_SECONDS)
    floor, floor_cpu = _memory("bench.bare_operator"), _cpu("bench.bare_operator")
    bare.kill()
    began = time.monotonic()
    installation.start()
    _wait(lambda: _metrics().get("alula_leader") == 1.0)
    _settled()
    settled = time.monotonic() - began - 3 * 2.0
    memory = _memory("alula_controller")
    _row(
        "started to settled", f"{settled:.1f} s, {_cpu('alula_controller'):.1f} s of CPU (bare kopf {floor_cpu:.1f} s)"
    )
    _row("writes of a start", f"{_total(_metrics(), 'alula_writes_total'):.0f}")
    _row("memory", f"{memory:.0f} MiB (bare kopf {floor:.0f} MiB; goal {1.5 * floor + 100:.0f} MiB)")


def _at_rest(installation: installing.Installation) -> None:
    before, cpu = _metrics(), _cpu("alula_controller")
    time.sleep(IDLE_SECONDS)
    spent = (_cpu("alula_controller") - cpu) / IDLE_SECONDS
    writes = _total(_metrics(), "alula_writes_total") - _total(before, "alula_writes_total")
    _row("at rest", f"{spent * 100:.2f} % of a core, {writes:.0f} writes in {IDLE_SECONDS:.0f} s")


def _admissions(cluster: clusters.Cluster, place: installing.Place) -> None:
    """Held runs appear at a steady rate, without Argo, which is slower than that: how long until each is let go?"""
    from bench import held_runs

    seconds, calls, rate = held_runs.measure(cluster, place, RUNS, PER_SECOND, lambda: _calls(_metrics()))
    seconds.sort()
    _row(
        f"admission of {RUNS} runs, {rate:.0f} made a second",
        f"median {seconds[len(seconds) // 2]:.2f} s, worst {seconds[-1]:.2f} s",
    )
    _row("API calls a run", f"{calls:.1f}")


def _side_by_side(cluster: clusters.Cluster, jobs: Iterable[Callable[[], object]]) -> None:
    def inside(job: Callable[[], object]) -> None:
        with processes.in_network(cluster.supervisor.network):
            job()

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(inside, jobs))


def _compiled(place: installing.Place) -> int:
    found = place.cluster.api.list(installing.ALULA, "Workflow", place.namespace)
    time.sleep(1)
    return sum(bool((each.get("status") or {}).get("conditions")) for each in found)


def _settled() -> None:
    """Wait until nothing has been worked on for six seconds."""
    last, still = -1.0, 0
    while still < 3:
        now = _total(_metrics(), "alula_reconcile_total")
        still = still + 1 if now == last else 0
        last = now
        time.sleep(2)


def _wait(what: Callable[[], bool], timeout: float = 300) -> None:
    deadline = time.monotonic() + timeout
    while not what():
        if time.monotonic() > deadline:
            raise TimeoutError(str(what))
        time.sleep(0.2)


def _metrics() -> dict[str, float]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/metrics", timeout=10) as response:
            lines = response.read().decode().splitlines()
    except OSError:
        return {}
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if not line.startswith("#")}


def _total(found: dict[str, float], name: str) -> float:
    return sum(value for each, value in found.items() if each.startswith(name))


def _calls(found: dict[str, float]) -> float:
    return _total(found, "alula_api_requests_total")


def _pid(module: str) -> int:
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if words[1:3] == [b"-m", module.encode()]:
            return int(folder.name)
    raise ProcessLookupError(module)


def _memory(module: str) -> float:
    """MiB."""
    text = pathlib.Path(f"/proc/{_pid(module)}/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("VmRSS")) / 1024


def _cpu(module: str) -> float:
    """Seconds, user and system."""
    fields = pathlib.Path(f"/proc/{_pid(module)}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _both() -> float:
    """Seconds of the controller and of its compiler."""
    try:
        return _cpu("alula_controller") + _cpu("alula_controller.definitions.compiler_process")
    except ProcessLookupError:  # it starts with the first definition
        return _cpu("alula_controller")


def _row(what: str, figure: str) -> None:
    sys.stdout.write(f"| {what} | {figure} |\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
