"""`make demo`: the penguins pipeline from a file to Argo's objects, each step a command that you can repeat by hand.

Everything it makes lies under .alula/demo and is made anew at each start.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROJECT = ROOT / "examples" / "penguins"
PLACE = ROOT / ".alula" / "demo"
BOLD, PLAIN = ("\033[1m", "\033[0m") if sys.stdout.isatty() else ("", "")


def main() -> int:
    """Run the steps in order; stops at the first that fails, with its exit code."""
    shutil.rmtree(PLACE, ignore_errors=True)
    gitops, compiled = PLACE / "gitops", PLACE / "argo.yaml"
    gitops.mkdir(parents=True)
    target, store = "flows/penguins.py:train", ["--store", str(PLACE / "store")]

    say("Each command can be repeated by hand, after these two:")
    tell(f"{BOLD}$ source .venv/bin/activate\n$ cd {PROJECT.relative_to(ROOT)}{PLAIN}")
    say("Train on the Palmer penguins, here, in parallel where the graph allows.")
    alula("run", *store, target)
    say("Again: nothing has changed, so every task comes from the cache.")
    alula("run", *store, target)
    say("Another seed: what depends on it runs again, the rest does not.")
    alula("run", *store, target, "--seed", "8")

    say("Register: the workflow and its launch plan become files in a git repository.")
    git("init", "--quiet", "--initial-branch", "main", str(gitops))
    alula("register", "--repo", str(gitops), "--domain", "dev", "flows/penguins.py")
    git("-C", str(gitops), "add", "--all")
    git("-C", str(gitops), *COMMITTER, "commit", "--quiet", "--message", "Release penguins to dev")
    say("Register again: the same sources, so nothing changes.")
    alula("register", "--repo", str(gitops), "--domain", "dev", "flows/penguins.py")
    say("What was built is named once, for all workflows of the release; a new build changes these lines alone.")
    tell(blocks(gitops / "penguins" / "dev" / "release" / "penguins" / "kustomization.yaml"))
    say("Compile: the Argo objects that the controller would apply.")
    alula("compile", "--out", str(compiled), str(gitops / "penguins" / "dev"))

    say("All of it lies here:")
    for what, place in (
        ("release", gitops / "penguins" / "dev"),
        ("Argo objects", compiled),
        ("store", PLACE / "store"),
    ):
        tell(f"  {what:<13} {place.relative_to(ROOT)}")
    reports = sorted(PLACE.glob("store/**/report.html"), key=lambda path: path.stat().st_mtime)
    tell(f"  {'report':<13} {reports[-1].relative_to(ROOT)}")
    return 0


COMMITTER = ["-c", "user.name=demo", "-c", "user.email=demo@example.org"]


def blocks(kustomization: Path) -> str:
    """The blocks of digests of a release."""
    return kustomization.read_text(encoding="utf-8").partition("patches:\n")[2].rstrip()


def say(line: str) -> None:
    """Head the next step."""
    tell(f"\n{BOLD}# {line}{PLAIN}")


def tell(line: str) -> None:
    """One line, at once, so that it stands before what the next command prints."""
    print(line, flush=True)


def alula(*arguments: str) -> None:
    """Show and run one command of alula in the example's folder."""
    shown = [argument.replace(f"{ROOT}/", "../../") for argument in arguments]
    tell(f"{BOLD}$ alula {' '.join(shown)}{PLAIN}")
    run(sys.executable, "-m", "alula", *arguments, cwd=PROJECT)


def git(*arguments: str) -> None:
    """Run git."""
    run("git", *arguments, cwd=PROJECT)


def run(*argv: str, cwd: Path) -> None:
    """Run one command on this terminal; a failure ends the demo."""
    done = subprocess.run(argv, cwd=cwd, check=False)
    if done.returncode:
        sys.exit(done.returncode)


if __name__ == "__main__":
    sys.exit(main())
