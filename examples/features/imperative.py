"""Put workflows together by a program: one for each city of a list, with as many models as the city has."""

from alula import ImperativeWorkflow, conditional, map_task, task

CITIES = {"oslo": (2, 4), "lima": (3,)}
"""For each city, how many rounds each of its models gets."""


@task(cache=True)
def fetch(city: str, days: int) -> list[float]:
    """Fetch the temperatures of a city."""
    return [float(len(city) + day) for day in range(days)]


@task(cache=True)
def train(values: list[float], rounds: int) -> float:
    """Train a model, and return how good it is."""
    return min(0.99, sum(values) / len(values) / 20 + rounds / 10)


@task
def best(scores: list[float]) -> float:
    """Choose the best model."""
    return max(scores)


@task
def double(score: float) -> float:
    """Look at a score more closely."""
    return score * 2


@task
def publish(city: str, score: float) -> str:
    """Put the best model into service."""
    return f"{city}: {score:.2f}"


def forecast(city: str, rounds: tuple[int, ...]) -> ImperativeWorkflow:
    """Make the workflow of a city."""
    wf = ImperativeWorkflow(f"forecast-{city}", description=f"Train the models of {city} and publish the best.")
    days = wf.add_input("days", int, default=3, description="how far to look back")
    least = wf.add_input("least", float, default=0.4, description="how good the best model must be")
    values = wf.add(fetch, city, days)
    scores = [wf.add(train.named(f"train-{number}"), values, number) for number in rounds]
    chosen = wf.add(best, scores)
    with wf:
        said = conditional("publish").if_(chosen >= least).then(publish(city, chosen)).else_().then("none is good")
    wf.add_output("said", said, str)
    wf.add_output("closely", wf.add(map_task(double), scores), list[float])
    wf.add_output("score", chosen)
    return wf


OSLO = forecast("oslo", CITIES["oslo"])
LIMA = forecast("lima", CITIES["lima"])
