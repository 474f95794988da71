"""Which penguin is it? Trains a forest on the Palmer penguins and writes a report.

alula run flows/penguins.py:train --seed 7
"""

from __future__ import annotations

import html
import importlib.resources
from dataclasses import dataclass
from typing import Annotated, NamedTuple

import joblib
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import confusion_matrix

from alula import Backoff, Cron, File, LaunchPlan, Resources, Retries, task, workflow

FEATURES = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]


@dataclass
class Forest:
    """How the forest grows."""

    trees: int = 60
    max_depth: int | None = 4


FOREST = Forest()


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

    report: Annotated[File, "html"]
    model: Annotated[File, "joblib"]
    scores: Scores


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
def fit(training: pd.DataFrame, forest: Forest, seed: int) -> Annotated[File, "joblib"]:
    """Grow the forest."""
    model = RandomForestClassifier(forest.trees, max_depth=forest.max_depth, random_state=seed)
    model.fit(training[FEATURES], training["species"])
    output = File.new("forest.joblib")
    joblib.dump(model, output.path)
    return output


@task(cache=True)
def score(model: Annotated[File, "joblib"], held_out: pd.DataFrame) -> Scores:
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
def report(scores: Scores, penguins: pd.DataFrame, title: str) -> Annotated[File, "html"]:
    """Write one HTML page that needs nothing else."""
    page = File.new("report.html")
    page.path.write_text(render(title, scores, penguins), encoding="utf-8")
    return page


@workflow
def train(
    seed: int = 7,
    held_out: float = 0.25,
    forest: Forest = FOREST,
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
    return Outcome(report(scores, penguins, title), model, scores)


nightly = LaunchPlan(
    "nightly",
    train,
    inputs={"title": "Penguins, last night"},
    fixed_inputs={"seed": 42},
    schedule=Cron("0 2 * * *", timezone="Europe/Berlin"),
)


PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 16px/1.5 system-ui, sans-serif; color: #1c2733; max-width: 880px; margin: 40px auto; padding: 0 24px }}
h1 {{ margin-bottom: 0 }}
.lead {{ color: #5b6b7b; margin-top: 4px }}
.cards {{ display: flex; gap: 32px; flex-wrap: wrap }}
figure {{ margin: 24px 0 }}
figcaption {{ font-weight: 600; margin-bottom: 8px }}
text {{ font: 13px system-ui, sans-serif; fill: #1c2733 }}
</style></head><body>
<h1>{title}</h1><p class="lead">{penguins} penguins, {accuracy:.1%} of the held-out ones named right.</p>
<div class="cards"><figure><figcaption>Bill length and depth, mm</figcaption>{scatter}</figure>
<figure><figcaption>True species (rows), named (columns)</figcaption>{confusion}</figure></div>
<figure><figcaption>What the forest looks at</figcaption>{importance}</figure>
</body></html>
"""
COLOURS = ["#3a6ea5", "#e07a3f", "#3d9970"]


def render(title: str, scores: Scores, penguins: pd.DataFrame) -> str:
    """The report as one page of HTML with inline SVG."""
    return PAGE.format(
        title=html.escape(title),
        penguins=len(penguins),
        accuracy=scores.accuracy,
        scatter=scatter(penguins, scores.species),
        confusion=confusion(scores),
        importance=importance(scores.importance),
    )


def label(x: float, y: float, text: object, anchor: str = "middle") -> str:
    """A text in a picture."""
    return f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}">{html.escape(str(text))}</text>'


def scatter(penguins: pd.DataFrame, species: list[str]) -> str:
    """One dot a penguin, coloured by species."""
    x, y = penguins["bill_length_mm"], penguins["bill_depth_mm"]
    left = 20 + 380 * (x - x.min()) / (x.max() - x.min())
    top = 280 - 240 * (y - y.min()) / (y.max() - y.min())
    colours = dict(zip(species, COLOURS, strict=False))
    marks = []
    for a, b, name in zip(left, top, penguins["species"], strict=True):
        marks.append(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3.5" fill="{colours[name]}" fill-opacity=".7"/>')
    for i, (name, colour) in enumerate(colours.items()):
        marks.append(f'<circle cx="{30 + 120 * i}" cy="12" r="5" fill="{colour}"/>')
        marks.append(label(40 + 120 * i, 16, name, "start"))
    return f'<svg width="420" height="300">{"".join(marks)}</svg>'


def confusion(scores: Scores) -> str:
    """The confusion matrix, darker where more penguins stand."""
    most = max(max(row) for row in scores.confusion)
    cells = []
    for i, row in enumerate(scores.confusion):
        cells.append(label(84, 61 + 80 * i, scores.species[i], "end"))
        cells.append(label(131 + 80 * i, 274, scores.species[i]))
        for j, count in enumerate(row):
            box = f'x="{93 + 80 * j}" y="{18 + 80 * i}" width="76" height="76"'
            cells.append(f'<rect {box} fill="#3a6ea5" fill-opacity="{0.08 + 0.8 * count / most:.2f}"/>')
            cells.append(label(131 + 80 * j, 61 + 80 * i, count))
    return f'<svg width="340" height="290">{"".join(cells)}</svg>'


def importance(shares: dict[str, float]) -> str:
    """One bar a feature."""
    bars = []
    for i, (name, share) in enumerate(sorted(shares.items(), key=lambda item: -item[1])):
        bars.append(label(160, 30 * i + 19, name, "end"))
        bars.append(f'<rect x="170" y="{30 * i + 4}" width="{560 * share:.1f}" height="22" fill="#3a6ea5"/>')
        bars.append(label(178 + 560 * share, 30 * i + 19, f"{share:.0%}", "start"))
    return f'<svg width="820" height="{30 * len(shares) + 4}">{"".join(bars)}</svg>'


if __name__ == "__main__":
    train()
