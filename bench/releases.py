"""What `bench` measures of a gitops repository: 50 workflows in two domains, on their way from source to production."""

from __future__ import annotations

import subprocess
from pathlib import Path

from bench.measuring import Command

WORKFLOWS, TASKS = 50, 8


def repository(folder: Path) -> Path:
    """A project of 50 workflows, registered to dev and promoted to prod; returns the project's folder."""
    from alula.cli import main

    project = folder / "releases"
    (project / "flows").mkdir(parents=True)
    (project / "pyproject.toml").write_text('[tool.alula]\nproject = "bench"\nimage = "bench:1"\n')
    for number in range(WORKFLOWS):
        (project / "flows" / f"flow_{number}.py").write_text(_module(number, "10m"))
    gitops = project / "gitops"
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", str(gitops)], check=True)
    for key in ("user.name", "user.email"):
        subprocess.run(["git", "-C", str(gitops), "config", key, "bench"], check=True)
    assert main.main(["register", "--repo", str(gitops), str(project / "flows")]) == 0
    subprocess.run(["git", "-C", str(gitops), "add", "--all"], check=True)
    subprocess.run(["git", "-C", str(gitops), "commit", "--quiet", "-m", "Register"], check=True)
    assert main.main(["promote", "--repo", str(gitops), "--from", "dev", "--to", "prod"]) == 0
    return project


def _module(number: int, timeout: str) -> str:
    tasks = "".join(
        f'\n\n@task(cache=Cache("1"), timeout="{timeout}")\ndef step_{each}(x: int) -> int:\n    return x + {each}\n'
        for each in range(TASKS)
    )
    calls = "".join(f"    x = step_{each}(x)\n" for each in range(TASKS))
    head = "from alula import Cache, LaunchPlan, task, workflow\n"
    plan = f'nightly = LaunchPlan("nightly-{number}", main, inputs={{"x": 7}})\n'
    return f"{head}{tasks}\n\n@workflow\ndef main(x: int = {number}) -> int:\n{calls}    return x\n\n\n{plan}"


def commands(project: Path) -> dict[str, Command]:
    """Each command, with its imports and with kustomize."""
    gitops = str(project / "gitops")
    return {
        "register": (["-m", "alula", "register", "--repo", gitops, str(project / "flows")], {}),
        "promote, as a dry run": (
            ["-m", "alula", "promote", "--repo", gitops, "--from", "dev", "--to", "test", "--dry-run"],
            {},
        ),
        "verify, two domains": (["-m", "alula", "verify", "--repo", gitops], {}),
        "diff of the two domains": (["-m", "alula", "diff", "--repo", gitops, "dev", "prod"], {}),
    }
