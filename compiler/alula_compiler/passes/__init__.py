"""The passes, in order. Each is a module with one function, `run(program, settings, report) -> program`.

The checks all run, so that an author sees every error at once; each is ready for what another one has refused. The
lowering passes rely on the checks and on each other, and stop at the first that reports something.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from alula_compiler import engines, problems
from alula_compiler import program as ir
from alula_compiler.passes import (
    apply_domain,
    check_graph,
    check_limits,
    check_schedules,
    check_types,
    emit,
    lower_tasks,
    name_templates,
    resolve,
    split_graphs,
    whole_values,
)

Pass: TypeAlias = Callable[[ir.Program, engines.Engine, problems.Report], ir.Program]

CHECKS: tuple[Pass, ...] = (
    resolve.run,  # every name leads somewhere
    check_types.run,  # edges fit; values are in normal form
    check_schedules.run,  # cron lines are ones that Argo reads
    check_graph.run,  # no circles; nodes in order; not more than a run holds
)
LOWERING: tuple[Pass, ...] = (
    apply_domain.run,  # the Domain's settings in place of the installation's
    whole_values.run,  # graphs are called with whole values only
    lower_tasks.run,  # retries, deadlines, resources, environment and Secrets in Argo's terms
    split_graphs.run,  # no graph has more nodes than a DAG may have
    name_templates.run,  # templates of tasks and graphs have their names
    emit.run,  # Argo objects and plans
    check_limits.run,  # names, numbers and bytes; no stray live tag
)
PASSES = CHECKS + LOWERING
