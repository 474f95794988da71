"""Deploy a model only if it is good enough, ask a person if it may be, and leave it alone otherwise."""

from dataclasses import dataclass

from alula import conditional, task, workflow


@dataclass
class Score:
    """How good a model is."""

    accuracy: float
    samples: int


@task(cache=True)
def train(rounds: int) -> str:
    """Train a model and return its name."""
    return f"model-of-{rounds}-rounds"


@task(cache=True)
def evaluate(model: str, rounds: int) -> Score:
    """Measure a model: more rounds make it better, up to a point."""
    return Score(min(0.99, 0.5 + rounds / 20), len(model))


@task
def deploy(model: str) -> str:
    """Put a model into service."""
    return f"{model} is in service"


@task
def announce(model: str) -> str:
    """Ask for a decision."""
    return f"{model} waits for a decision"


@workflow
def release(rounds: int = 9, dry_run: bool = False) -> str:
    """Train a model and do with it what its score allows."""
    model = train(rounds)
    score = evaluate(model, rounds)
    return (
        conditional("deploy")
        .if_((score.accuracy > 0.9) & (score.samples >= 10) & ~dry_run)
        .then(deploy(model))
        .elif_(score.accuracy > 0.7)
        .then(announce(model))
        .else_()
        .then("nothing to deploy")
    )
