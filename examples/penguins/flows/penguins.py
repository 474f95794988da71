"""Which penguin is it? Trains a forest on the Palmer penguins and writes a report.

    alula run flows/penguins.py:train --seed 7
"""

from __future__ import annotations

import importlib.resources
from dataclasses import dataclass
from typing import NamedTuple

import joblib
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import confusion_matrix

from alula import Backoff, File, LaunchPlan, Resources, Retries, task, workflow
from alula.schedules import Cron

from . import pages

FEATURES = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]


@dataclass
class Forest:
    """How the forest grows."""

    trees: int = 60
    max_depth: int | None = 4


@dataclass
class Scores:
    """What the held-out penguins say of the model."""

    accuracy: float
    species: list[str]
    confusion: list[list[int]]
    importance: dict[str, float]


class Parts(NamedTuple):
    """The two halves of a split."""

    training: pd.DataFrame
    held_out: pd.DataFrame


class Outcome(NamedTuple):
    """What a training run leaves behind."""

    report: File["html"]
    model: File["joblib"]
    accuracy: float


@task(cache=True, retries=Retries(3, Backoff("5s", factor=2, cap="1m")))
def load(island: str | None) -> pd.DataFrame:
    """Read the measurements that ship in the package `palmerpenguins`."""
    table = importlib.resources.files("palmerpenguins") / "data" / "penguins.csv"
    with table.open("r", encoding="utf-8") as lines:
        penguins = pd.read_csv(lines)
    return penguins if island is None else penguins[penguins["island"] == island].reset_index(drop=True)


@task(cache=True)
def clean(penguins: pd.DataFrame) -> pd.DataFrame:
    """Keep the penguins that were measured in full."""
    return penguins.dropna(subset=FEATURES).reset_index(drop=True)


@task(cache=True)
def split(penguins: pd.DataFrame, held_out: float, seed: int) -> Parts:
    """Shuffle and hold some penguins out for the exam."""
    shuffled = penguins.sample(frac=1.0, random_state=seed)
    exam = round(len(shuffled) * held_out)
    return Parts(shuffled.iloc[exam:], shuffled.iloc[:exam])


@task(cache=True, resources=Resources(cpu="500m", memory="512Mi"), timeout="10m")
def fit(training: pd.DataFrame, forest: Forest, seed: int) -> File["joblib"]:
    """Grow the forest."""
    model = RandomForestClassifier(forest.trees, max_depth=forest.max_depth, random_state=seed)
    model.fit(training[FEATURES], training["species"])
    joblib.dump(model, "forest.joblib")
    return File("forest.joblib")


@task(cache=True)
def score(model: File["joblib"], held_out: pd.DataFrame) -> Scores:
    """Let the forest name the penguins that it has not seen."""
    forest = joblib.load(model.path)
    guesses = forest.predict(held_out[FEATURES])
    return Scores(
        accuracy=float((guesses == held_out["species"]).mean()),
        species=list(forest.classes_),
        confusion=confusion_matrix(held_out["species"], guesses, labels=forest.classes_).tolist(),
        importance=dict(zip(FEATURES, map(float, forest.feature_importances_), strict=True)),
    )


@task(cache=True)
def report(scores: Scores, penguins: pd.DataFrame, title: str) -> File["html"]:
    """Write one HTML page that needs nothing else."""
    with open("report.html", "w", encoding="utf-8") as page:
        page.write(pages.render(title, scores, penguins))
    return File("report.html")


@workflow
def train(
    seed: int = 7,
    held_out: float = 0.25,
    forest: Forest = Forest(),
    island: str | None = None,
    title: str = "Which penguin is it?",
) -> Outcome:
    """Train a forest on the Palmer penguins and report how well it does.

    Args:
        seed: Seeds the split and the forest.
        held_out: Share of the penguins, 0 to 1, that is kept for scoring.
        forest: Number and depth of the trees.
        island: Use the penguins of one island only.
        title: Heading of the report.
    """
    penguins = clean(load(island))
    parts = split(penguins, held_out, seed)
    model = fit(parts.training, forest, seed)
    scores = score(model, parts.held_out)
    return Outcome(report(scores, penguins, title), model, scores.accuracy)


nightly = LaunchPlan(
    "nightly",
    train,
    inputs={"title": "Penguins, last night"},
    fixed_inputs={"seed": 42},
    schedule=Cron("0 2 * * *", timezone="Europe/Berlin"),
)
