"""What `alula` exports: every name resolves, and nothing else appears by accident."""

from __future__ import annotations

import alula

PUBLIC = {
    "Affinity", "After", "AlulaError", "Backoff", "Batch", "Cache", "Cron", "DefinitionError", "Directory", "Event",
    "Every", "Failure", "File", "ImperativeWorkflow", "LaunchPlan", "LoadError", "NaiveDatetime", "NodeRule",
    "NonRecoverable", "Notify", "Pod", "Release", "Resources", "Retention", "Retries", "RunFailed", "Secret", "Task",
    "Toleration", "UserError", "ValueMismatch", "Workflow", "conditional", "grow", "is_none", "map_task", "order",
    "repeat", "run", "task", "workflow",
}  # fmt: skip


def test_the_public_names_are_these_and_all_resolve() -> None:
    assert set(alula.__all__) == PUBLIC
    assert all(getattr(alula, name) is not None for name in PUBLIC)
    assert set(dir(alula)) >= PUBLIC


def test_another_name_is_an_attribute_error() -> None:
    assert not hasattr(alula, "tasks")
