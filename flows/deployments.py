"""What the Prefect UI offers: names, default parameters, tags."""

from pathlib import Path
from typing import Any

from prefect import Flow
from prefect.types.entrypoint import EntrypointType

from flows.classifiers import train_classifiers
from flows.compare import compare_reconstructors
from flows.ingest import ingest
from flows.parameters import (
    ClassifiersRequest,
    CompareRequest,
    IngestRequest,
    PromoteRequest,
    ReconstructorRequest,
    RollbackRequest,
    TrainRequest,
)
from flows.promote import promote, rollback
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
        _offered(
            promote,
            "promote",
            PromoteRequest(),
            "Hold the gate against a version, ask a person where one has to agree, and make it champion.",
            ["registry"],
            at_once=None,
        ),
        _offered(
            rollback,
            "rollback",
            RollbackRequest(reason="what is wrong with the champion"),
            "Give the place back to the previous champion, which has to answer before it serves.",
            ["registry"],
            at_once=None,
        ),
    ]


def _offered(
    flow: Flow[..., Any], name: str, request: Config, description: str, tags: list[str], at_once: int | None = 1
) -> Any:
    """One deployment; `at_once` runs of it (None: any number, which the ledger sorts out)."""
    return flow.to_deployment(
        name=name,
        parameters={"request": request.model_dump(mode="json")},
        description=description,
        tags=tags,
        concurrency_limit=at_once,
        entrypoint_type=EntrypointType.MODULE_PATH,  # by file, our folder would come before all libraries
    )
