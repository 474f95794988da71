"""The passes, in order. Each is a module with one function, `run(program, engine, report) -> program`.

The first ones all run, so that an author sees every error at once; each is ready for what another one has refused. The
rewriting passes rely on them and on each other, and stop at the first that reports something.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from alula_compiler.engines import Engine
from alula_compiler.passes import (
    apply_domain,
    check_domain,
    check_graph,
    check_notices,
    check_schedules,
    check_tasks,
    check_triggers,
    check_types,
    pod_templates,
    publish_parts,
    resolve,
    split_graphs,
    whole_values,
)
from alula_compiler.problems import Report
from alula_compiler.program import Program

Pass: TypeAlias = Callable[[Program, Engine, Report], Program]

CHECKS: tuple[Pass, ...] = (
    apply_domain.run,  # the installation's settings where the Domain has none of its own
    resolve.run,  # every name leads somewhere
    check_types.run,  # edges fit; values are in normal form
    check_schedules.run,  # cron lines are ones that Argo reads
    check_triggers.run,  # plans wait for what can come
    check_notices.run,  # the places that plans name are the domain's
    check_graph.run,  # no circles; nodes in order; not more than a run holds
    check_domain.run,  # tasks and images are ones that the domain allows
    pod_templates.run,  # what the domain's templates say of pods stands in the tasks
    check_tasks.run,  # kinds, images and environments are ones that can run
)
REWRITES: tuple[Pass, ...] = (
    whole_values.run,  # graphs are called with whole values only
    publish_parts.run,  # what conditions compare is an output of its own
    split_graphs.run,  # no graph has more nodes than a DAG may have
)
PASSES = CHECKS + REWRITES
