"""Pictures of a study: accuracies with intervals, confusion, reliability."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tasks.figures import save_figure

Figures = dict[str, Any]


def accuracy_picture(path: Path, tasks: Mapping[str, Figures]) -> None:
    """Every model of every experiment with its interval over people."""
    figure = Figure(figsize=(9, 1.2 + 0.32 * sum(len(found["models"]) + 1 for found in tasks.values())))
    axes = figure.add_subplot()
    places: list[float] = []
    names: list[str] = []
    place = 0.0
    for experiment, found in tasks.items():
        for name, row in found["models"].items():
            value, low, high = (100 * row[which] for which in ("accuracy", "low", "high"))
            axes.barh(place, value, color="#2f6f9f" if name == "resnet" else "#b8c4cf")
            axes.plot([low, high], [place, place], color="#1c2430", linewidth=1.5)
            places.append(place)
            names.append(f"{experiment}: {name}")
            place += 1
        place += 0.6
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.set(xlim=(0, 100), xlabel="accuracy, % (line: 95 % interval over people)")
    axes.grid(axis="x", alpha=0.3)
    figure.tight_layout()
    save_figure(figure, path)


def confusion_picture(path: Path, labels: list[str], ours: list[list[float]], paper: list[list[float]] | None) -> None:
    """Shares of each true class (rows) by answer; the paper's beside where it has the same classes."""
    sides = {"ours": ours, **({"paper": paper} if paper is not None else {})}
    size = 1.4 + 0.62 * len(labels)
    figure = Figure(figsize=(size * len(sides) + 0.6, size))
    for number, (name, shares) in enumerate(sides.items(), start=1):
        _matrix(figure.add_subplot(1, len(sides), number), name, labels, np.array(shares))
    figure.tight_layout()
    save_figure(figure, path)


def _matrix(axes: Axes, title: str, labels: list[str], shares: np.ndarray) -> None:
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(labels)), labels, rotation=45, ha="right", fontsize=8)
    axes.set_yticks(range(len(labels)), labels, fontsize=8)
    axes.set(title=title, xlabel="answer", ylabel="true")
    for (row, column), value in np.ndenumerate(shares):
        colour = "white" if value > 0.5 else "#1c2430"
        axes.text(column, row, f"{100 * value:.1f}", ha="center", va="center", fontsize=7, color=colour)


def reliability_picture(path: Path, curves: Mapping[str, Figures]) -> None:
    """How often answers of a probability are right."""
    figure = Figure(figsize=(5, 4.4))
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color="#b8c4cf", linestyle="--")
    for name, found in curves.items():
        axes.plot(found["confidence"], found["accuracy"], marker="o", markersize=4, label=name)
    axes.set(xlabel="probability of the answer", ylabel="share of right answers", xlim=(0, 1.02), ylim=(0, 1.02))
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left")
    figure.tight_layout()
    save_figure(figure, path)
