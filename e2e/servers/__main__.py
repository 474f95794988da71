"""Builds the servers of the end-to-end tests with the ordinary go command: `python -m e2e.servers [NAME...]`.

What is in the cache already is not built again. About 25 minutes on two cores for all of them; needs Go and its module
proxy. The executables are found there by `e2e.cluster.binaries`.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

from e2e.cluster import binaries
from e2e.servers import recipes


class Failed(Exception):
    """The build cannot go on; the message says why."""


def main(names: list[str]) -> int:
    """Build the servers of these names, or all."""
    known = {recipe.name: recipe for recipe in recipes.RECIPES}
    unknown = sorted(set(names) - set(known))
    if unknown:
        sys.stderr.write(f"e2e-servers: no server is called {unknown[0]}; there are {', '.join(known)}\n")
        return 2
    try:
        require_go()
        for name in names or known:
            build(known[name])
    except Failed as error:
        sys.stderr.write(f"e2e-servers: {error}\n")
        return 1
    for name in recipes.MANIFESTS:
        fetch_manifests(name)
    return 0


def require_go() -> None:
    """Checks that there is a go command, and that it is new enough."""
    needed = ".".join(map(str, recipes.GO))
    if shutil.which("go") is None:
        raise Failed(f"no `go` on PATH; Go {needed} or newer builds the servers")
    version = go("env", "GOVERSION")
    found = re.match(r"go(\d+)\.(\d+)", version)
    if found is None or (int(found[1]), int(found[2])) < recipes.GO:
        raise Failed(f"Go {needed} or newer is needed; this one is {version}")


def build(recipe: recipes.Recipe) -> None:
    """Builds one project into the cache, whole or not at all."""
    target = recipe.built(binaries.cache_root())
    if target.exists():
        report(f"{recipe.name} {recipe.version}: built before")
        return
    began = time.monotonic()
    report(f"{recipe.name} {recipe.version}: building ...")
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = pathlib.Path(tempfile.mkdtemp(dir=target.parent, prefix=".building-"))
    try:
        with tempfile.TemporaryDirectory() as work:
            module = prepare(recipe, pathlib.Path(work))
            for executable, package in recipe.packages.items():
                flags = f"-s -w {' '.join(f'-X {name}={recipe.version}' for name in recipe.stamps)}"
                go("build", "-trimpath", "-ldflags", flags, "-o", str(draft / executable), package, cwd=module)
            if recipe.manifests is not None:
                source, name = recipe.manifests
                shutil.copytree(module / "module" / source, draft / "manifests" / name)
        draft.chmod(0o755)
        draft.rename(target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    report(f"{recipe.name} {recipe.version}: {time.monotonic() - began:.0f} s")


def prepare(recipe: recipes.Recipe, work: pathlib.Path) -> pathlib.Path:
    """The folder to build in: the recipe's own, or a copy that names a completed copy of the module."""
    if not recipe.missing:
        return recipe.folder
    for name in ("go.mod", "go.sum"):
        shutil.copy(recipe.folder / name, work)
    source = json.loads(go("mod", "download", "-json", recipe.module, cwd=work))["Dir"]
    shutil.copytree(source, work / "module", copy_function=shutil.copyfile)
    for path in (work / "module", *(work / "module").rglob("*/")):
        path.chmod(0o755)
    for place, stand_in in recipe.missing.items():
        path = work / "module" / place
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(recipe.folder / stand_in, path)
    go("mod", "edit", f"-replace={recipe.module}=./module", cwd=work)
    return work


def fetch_manifests(name: str) -> None:
    """Takes manifests out of a module that nothing is built of; where it cannot be had, tests go without."""
    module, version, folder = recipes.MANIFESTS[name]
    target = binaries.cache_root() / "servers" / "manifests" / name
    if target.exists():
        return
    try:
        source = pathlib.Path(
            json.loads(go("mod", "download", "-json", f"{module}@{version}", cwd=recipes.FOLDER))["Dir"]
        )
    except Failed:
        report(f"{name}: {module} {version} could not be fetched; what is compiled is not checked against its CRDs")
        return
    with tempfile.TemporaryDirectory(dir=binaries.cache_root()) as draft:
        shutil.copytree(source / folder, pathlib.Path(draft) / name, copy_function=shutil.copyfile)
        target.parent.mkdir(parents=True, exist_ok=True)
        (pathlib.Path(draft) / name).rename(target)
    report(f"{name}: {version}")


def go(*arguments: str, cwd: pathlib.Path | None = None) -> str:
    """Runs the go command; what it printed."""
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false"}
    done = subprocess.run(["go", *arguments], cwd=cwd, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        last = "\n".join((done.stderr or done.stdout).strip().splitlines()[-10:])
        raise Failed(f"go {arguments[0]} failed:\n{last}")
    return done.stdout.strip()


def report(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
