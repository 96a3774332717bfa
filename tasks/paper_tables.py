"""The tables of both papers as data, and where our own figure for each cell is tracked. Pure.

Figures are shares (of 1) or seconds, as the papers print them. Paper A is Yu et al., Sensors 2025, 25, 5049; paper B is
Li, Dong and Lui 2025.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

RECOGNIZER, RECONSTRUCTORS, CLASSIFIERS = "recognizer", "reconstructors", "classifiers"
ABLATIONS = "ablations"
Unit = Literal["share", "seconds", "MB"]


class Source(NamedTuple):
    """Where our figure is: a metric (with `_low` and `_high` beside it, or `.low`) of the newest run of an experiment.

    `tag` narrows the runs down; `command` makes one where there is none. With
    `file` the figure is no metric but in a JSON file of the run, at `metric`, a path of names and numbers with slashes.
    `otherwise` is another experiment that measures the same; the newer run of both answers.
    """

    experiment: str
    metric: str
    command: str
    tag: tuple[str, str] | None = None
    file: str | None = None
    otherwise: "Source | None" = None

    def everywhere(self) -> tuple["Source", ...]:
        """Itself and those that measure the same."""
        return (self,) if self.otherwise is None else (self, *self.otherwise.everywhere())

    def bounds(self) -> tuple[str, str]:
        """The names of the ends of the interval."""
        stem, dot, last = self.metric.rpartition(".")
        return (
            (f"{stem}.low", f"{stem}.high")
            if dot and last == "accuracy"
            else (
                f"{self.metric}_low",
                f"{self.metric}_high",
            )
        )


@dataclass(frozen=True)
class Cell:
    """What a paper prints, and our counterpart; rows that quote other authors have none."""

    row: str
    column: str
    paper: float
    ours: Source | None = None


@dataclass(frozen=True)
class PaperTable:
    """One table: `key` is like A1; `data` is the data set that the paper used, `benchmark` ours."""

    key: str
    title: str
    data: str
    benchmark: str
    cells: tuple[Cell, ...]
    unit: Unit = "share"
    note: str = ""
    rows: tuple[str, ...] = field(init=False)
    columns: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", tuple(dict.fromkeys(cell.row for cell in self.cells)))
        object.__setattr__(self, "columns", tuple(dict.fromkeys(cell.column for cell in self.cells)))

    def cell(self, row: str, column: str) -> Cell | None:
        """The cell at a place, if the table has one there."""
        return next((cell for cell in self.cells if (cell.row, cell.column) == (row, column)), None)


AXES = (("N_x", "x"), ("N_y", "y"), ("N_z", "z"), ("Late Fusion", "fused"))
ABLATE = "trinormal ablations --profile standard"
CLASSIFY = "trinormal train-classifiers --profile standard"


def _ablated(benchmark: str, figure: str, reconstructor: str) -> Source:
    """From the ablations; BU-3DFE is also measured whenever a recogniser is trained or reconstructors are compared."""
    metric, tag = f"{benchmark}.{figure}", ("reconstructor", reconstructor)
    also = None
    if benchmark == "bu3dfe" and reconstructor == "expnet":
        also = Source(RECOGNIZER, metric, ABLATE)
    elif benchmark == "bu3dfe":
        also = Source(RECONSTRUCTORS, metric, ABLATE, tag)
    return Source(ABLATIONS, metric, ABLATE, tag, otherwise=also)


def _improvements(
    key: str, title: str, benchmark: str, baseline: tuple[float, ...], ours: tuple[float, ...]
) -> PaperTable:
    """Tables 1 to 3: each axis and the fusion, before and after fine-tuning with cross-entropy."""
    cells = [
        Cell(row, column, value, _ablated(benchmark, f"{variant}.{axis}", "expnet"))
        for column, variant, values in (("Baseline", "baseline", baseline), ("Ours", "ce", ours))
        for (row, axis), value in zip(AXES, values, strict=True)
    ]
    caption = f"The rank-1 accuracy improvements in 3D face identification on the {title} database"
    return PaperTable(
        key, caption, title, benchmark, tuple(cells), note="Fine-tuned with cross-entropy, on faces by ExpNet."
    )


def _comparison(
    key: str, title: str, benchmark: str, others: Mapping[str, float], ours: tuple[float, float]
) -> PaperTable:
    """Tables 4 to 7: other authors' figures, and both reconstructors with the large-margin cosine loss."""
    figure = "lmcl.fused"
    by_reconstructor = (
        Cell("Ours (ExpNet)", "Rank-1", ours[0], _ablated(benchmark, figure, "expnet")),
        Cell("Ours (TEx-Face)", "Rank-1", ours[1], _ablated(benchmark, figure, "texface")),
    )
    cells = (*(Cell(name, "Rank-1", value) for name, value in others.items()), *by_reconstructor)
    caption = f"The comparison of rank-1 accuracy on the {title} database"
    return PaperTable(
        key,
        caption,
        title,
        benchmark,
        cells,
        note="Fine-tuned with the large-margin cosine loss; the three axes fused.",
    )


PAPER_A = (
    _improvements("A1", "BU-3DFE", "bu3dfe", (0.661, 0.710, 0.755, 0.803), (0.922, 0.942, 0.965, 0.980)),
    _improvements("A2", "FRGC v2", "frgc", (0.738, 0.786, 0.774, 0.813), (0.867, 0.841, 0.871, 0.902)),
    _improvements("A3", "Bosphorus", "bosphorus", (0.700, 0.808, 0.784, 0.846), (0.942, 0.965, 0.965, 0.980)),
    _comparison(
        "A4",
        "BU-3DFE",
        "bu3dfe",
        {
            "Li et al. [21]": 0.922,
            "Lei et al. [22]": 0.940,
            "Li et al. [23]": 0.961,
            "Kim et al. [7]": 0.950,
            "Gilani et al. [10]": 0.986,
            "Cai et al. [24]": 0.999,
            "Yu et al. [9]": 1.0,
        },
        (0.988, 0.992),
    ),
    _comparison(
        "A5",
        "FRGC v2",
        "frgc",
        {
            "Li et al. [21]": 0.963,
            "Lei et al. [22]": 0.963,
            "Li et al. [23]": 0.980,
            "Gilani et al. [10]": 0.971,
            "Wang et al. [25]": 0.960,
        },
        (0.976, 0.984),
    ),
    _comparison(
        "A6",
        "Bosphorus",
        "bosphorus",
        {
            "Li et al. [21]": 0.954,
            "Li et al. [23]": 0.976,
            "Kim et al. [7]": 0.992,
            "Gilani et al. [10]": 0.962,
            "Yu et al. [8]": 0.993,
            "Cai et al. [24]": 0.998,
            "Yu et al. [9]": 0.998,
            "Wang et al. [25]": 0.920,
            "Zhao et al. [26]": 0.989,
            "Yang et al. [27]": 0.979,
            "Wang et al. [28]": 0.989,
            "Zhu et al. [29]": 0.995,
        },
        (0.984, 0.993),
    ),
    _comparison(
        "A7",
        "BU-4DFE",
        "bu4dfe",
        {"Gilani et al. [30]": 0.960, "Gilani et al. [10]": 0.955, "Yu et al. [9]": 0.980},
        (0.961, 0.965),
    ),
    PaperTable(
        "A8",
        "The rank-1 accuracy of our method on the large-scale database",
        "BU-3DFE, FRGC v2 and Bosphorus merged",
        "merged",
        (Cell("Ours", "Rank-1", 0.982, _ablated("merged", "lmcl.fused", "expnet")),),
    ),
)


def _cost(part: str, what: str) -> Source:
    return Source(ABLATIONS, f"complexity.{part}.{what}", ABLATE)


_NOTE = (
    "The paper: one GeForce RTX 3090, full width. Here: a processor, the profile's sizes; memory of a whole process."
)
COMPLEXITY = (
    PaperTable(
        "A.5a",
        "Model complexity: inference time (section 5, in the text)",
        "one image",
        "complexity",
        (
            Cell("ExpNet", "Seconds", 0.065, _cost("expnet", "seconds")),
            Cell("One branch", "Seconds", 0.020, _cost("branch", "seconds")),
            Cell("Three branches together", "Seconds", 0.025, _cost("together", "seconds")),
        ),
        "seconds",
        _NOTE,
    ),
    PaperTable(
        "A.5b",
        "Model complexity: peak memory (section 5, in the text)",
        "one image",
        "complexity",
        (
            Cell("ExpNet", "Memory", 278.0, _cost("expnet", "peak_mb")),
            Cell("Three branches together", "Memory", 375.0, _cost("together", "peak_mb")),
        ),
        "MB",
        _NOTE,
    ),
)

_TASKS = (
    ("Face Recognition (KDEF)", "individual", 0.873, 1.0, 0.054, 0.005),
    ("Classify Expression (KDEF)", "expression", 0.706, 0.835, 0.062, 0.001),
    ("Classify Gender (FEI)", "gender", 0.798, 0.954, 0.006, 0.003),
)
_INPUTS = ("Using Images", "photos"), ("Using 3DMM Coefficients", "resnet")
EXPRESSIONS = ("AF", "AN", "DI", "HA", "NE", "SA", "SU")
_CONFUSION = (
    (0.7526, 0.0110, 0.0387, 0.0166, 0.0240, 0.0500, 0.1070),
    (0.0424, 0.6500, 0.1309, 0.0111, 0.0829, 0.0756, 0.0073),
    (0.0349, 0.0276, 0.8675, 0.0111, 0.0018, 0.0534, 0.0037),
    (0.0074, 0.0074, 0.0129, 0.9577, 0.0037, 0.0074, 0.0037),
    (0.0018, 0.0183, 0.0, 0.0, 0.9322, 0.0476, 0.0),
    (0.0312, 0.0165, 0.0458, 0.0018, 0.0971, 0.8057, 0.0018),
    (0.1219, 0.0055, 0.0, 0.0019, 0.0074, 0.0055, 0.8578),
)


def _classifier_tables() -> Iterator[PaperTable]:
    def from_file(*steps: object) -> Source:
        path = "/".join(str(step) for step in steps)
        return Source(CLASSIFIERS, path, CLASSIFY, file="classifiers.json")

    accuracy = [
        Cell(row, column, value, Source(CLASSIFIERS, f"{task}.{model}.accuracy", CLASSIFY))
        for row, task, *values in _TASKS
        for (column, model), value in zip(_INPUTS, values[:2], strict=True)
    ]
    seconds = [
        Cell(row, column, value, from_file("tables", 2, task, "ours", model))
        for row, task, *values in _TASKS
        for (column, model), value in zip(_INPUTS, values[2:], strict=True)
    ]
    confusion = [
        Cell(true, told, _CONFUSION[i][j], from_file("tables", 3, "ours", "shares", i, j))
        for i, true in enumerate(EXPRESSIONS)
        for j, told in enumerate(EXPRESSIONS)
    ]
    data = "KDEF and FEI"
    yield PaperTable("B1", "Classification results using different inputs", data, "kdef", tuple(accuracy))
    yield PaperTable(
        "B2", "Average training time (per input) using different inputs", data, "kdef", tuple(seconds), "seconds"
    )
    title = "The confusion matrix in expression classification (rows true, columns told)"
    yield PaperTable("B3", title, "KDEF", "kdef", tuple(confusion))


PAPER_B = tuple(_classifier_tables())
TABLES = (*PAPER_A, *COMPLEXITY, *PAPER_B)
