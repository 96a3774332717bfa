"""What the Prefect UI offers: names, default parameters, tags."""

from pathlib import Path
from typing import Any

from prefect import Flow
from prefect.types.entrypoint import EntrypointType

from flows.ablations import ablations
from flows.classifiers import train_classifiers
from flows.compare import compare_reconstructors
from flows.experiments import experiment
from flows.ingest import ingest
from flows.parameters import (
    AblationsRequest,
    ClassifiersRequest,
    CompareRequest,
    ExperimentRequest,
    IngestRequest,
    ReconstructorRequest,
    TrainRequest,
)
from flows.recognizer import train_recognizer
from flows.reconstructor import train_reconstructor
from infra.config import Config


def deployments() -> list[Any]:
    """Every deployment of the product; the UI draws a form from each flow's typed parameters."""
    return [
        _offered(
            train_recognizer,
            "retrain",
            TrainRequest(),
            "Train, measure and register a recogniser; it becomes champion if it passes its gate.",
            ["recognizer", "training"],
        ),
        _offered(
            train_reconstructor,
            "train",
            ReconstructorRequest(name="rnet"),
            "Train one reconstructor on simulated photos and measure it on people it never saw.",
            ["reconstructor", "training"],
        ),
        _offered(
            compare_reconstructors,
            "compare",
            CompareRequest(),
            "Compare reconstructors on the same photos, networks and protocol.",
            ["reconstructor", "evaluation"],
        ),
        _offered(
            ablations,
            "ablate",
            AblationsRequest(),
            "Paper A's ablations on every benchmark: axes, losses, reconstructors, and what the parts cost.",
            ["recognizer", "evaluation"],
        ),
        _offered(
            experiment,
            "run",
            ExperimentRequest(),
            "Beyond the papers: stress tests, a few scans in training, a reconstructor that knows of recognition.",
            ["recognizer", "evaluation"],
        ),
        _offered(
            train_classifiers,
            "train",
            ClassifiersRequest(),
            "Train classifiers of individuals, gender and expression; each becomes champion if it passes its gate.",
            ["classifier", "training"],
        ),
        _offered(
            ingest,
            "add",
            IngestRequest(folder=Path("photos")),
            "List a data set as an immutable snapshot: every file hashed and checked, with labels and licence.",
            ["data"],
        ),
    ]


def _offered(flow: Flow[..., Any], name: str, request: Config, description: str, tags: list[str]) -> Any:
    return flow.to_deployment(
        name=name,
        parameters={"request": request.model_dump(mode="json")},
        description=description,
        tags=tags,
        concurrency_limit=1,
        entrypoint_type=EntrypointType.MODULE_PATH,  # by file, our folder would come before all libraries
    )
