"""Clusters by hand: `python -m e2e.cluster up --name dev`, then `... exec dev -- COMMAND...`."""

from __future__ import annotations

import argparse
import os
import pathlib
import signal
import sys
import time

from e2e.cluster import clusters, errors, processes, starting, states, syscalls


def up(name: str, *, real: bool) -> int:
    """Starts a cluster and keeps it until SIGTERM, SIGINT or a hang-up."""
    began = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(0))
    try:
        cluster = starting.start_real(name) if real else starting.start(name)
    except errors.Unavailable as error:
        sys.exit(f"cannot start a cluster: {error}")
    try:
        print(f"{clusters.describe(cluster)}\nready after {time.monotonic() - began:.1f} s")
        print("Ctrl-C ends it.", flush=True)
        signal.pause()
    except KeyboardInterrupt:
        pass
    finally:
        cluster.stop()
    return 0


def execute(name: str, command: list[str]) -> int:
    """Becomes `command` inside the network of cluster `name`, with its variables set."""
    facts = states.running(name)
    if facts is None:
        sys.exit(f"no cluster {name} is running: start one by `python -m e2e.cluster up --name {name}`")
    network = os.open(f"/proc/{facts['pid']}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    syscalls.setns(network, syscalls.CLONE_NEWNET)
    environment = processes.clean_environment({"KUBECONFIG": facts["kubeconfig"]}, facts["environment"])
    beside = pathlib.Path(sys.executable).parent
    environment["PATH"] = f"{beside}{os.pathsep}{environment.get('PATH', os.defpath)}"
    try:
        os.execvpe(command[0], command, environment)
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m e2e.cluster", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    parse_up = actions.add_parser("up", help="start a cluster and keep it in the foreground")
    parse_up.add_argument("--name", default="dev")
    parse_up.add_argument("--real", action="store_true", help="with a node that runs real pods")
    parse_exec = actions.add_parser("exec", help="run a command inside a running cluster")
    parse_exec.add_argument("name")
    parse_exec.add_argument("command", nargs="+", metavar="-- COMMAND")
    chosen = parser.parse_args(arguments)
    if chosen.action == "up":
        return up(chosen.name, real=chosen.real)
    return execute(chosen.name, chosen.command)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
