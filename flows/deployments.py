"""What the Prefect UI offers: each flow with its form, tags, schedule and what happens to runs at once."""

from pathlib import Path
from typing import Any, Literal, NamedTuple

from prefect import Flow
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.schedules import Cron
from prefect.types.entrypoint import EntrypointType

from flows.classifiers import train_classifiers
from flows.compare import compare_reconstructors
from flows.evaluate_all import evaluate_all
from flows.ingest import ingest
from flows.nightly import nightly
from flows.parameters import (
    ClassifiersRequest,
    CompareRequest,
    EvaluateAllRequest,
    IngestRequest,
    NightlyRequest,
    PromoteRequest,
    ReconstructorRequest,
    RollbackRequest,
    TrainRequest,
)
from flows.promote import promote, rollback
from flows.recognizer import train_recognizer
from flows.reconstructor import train_reconstructor
from infra.config import Config


class Offer(NamedTuple):
    """A flow in the UI. `request` fills its form; `cron` (UTC) starts it by itself.

    `at_once` runs of an offer work at a time (None: any number): with `busy` "queue" the next one waits, with "skip" it
    is dropped, which is right for what a schedule starts again anyway.
    """

    flow: Flow[..., Any]
    name: str
    request: Config
    description: str
    tags: tuple[str, ...]
    cron: str | None = None
    at_once: int | None = 1
    busy: Literal["queue", "skip"] = "queue"


OFFERS = (
    Offer(
        train_recognizer,
        "retrain",
        TrainRequest(),
        "Train, measure and register a recogniser; it becomes champion if it passes its gate.",
        ("recognizer", "training"),
    ),
    Offer(
        train_reconstructor,
        "train",
        ReconstructorRequest(name="rnet"),
        "Train one reconstructor on simulated photos and measure it on people it never saw.",
        ("reconstructor", "training"),
    ),
    Offer(
        compare_reconstructors,
        "compare",
        CompareRequest(),
        "Compare reconstructors on the same photos, networks and protocol.",
        ("reconstructor", "evaluation"),
    ),
    Offer(
        train_classifiers,
        "train",
        ClassifiersRequest(),
        "Train classifiers of individuals, gender and expression; each becomes champion if it passes its gate.",
        ("classifier", "training"),
    ),
    Offer(
        evaluate_all,
        "all",
        EvaluateAllRequest(),
        "Champion, challenger and the champion before on every benchmark that is there, and what tells them apart.",
        ("recognizer", "evaluation"),
    ),
    Offer(
        nightly,
        "nightly",
        NightlyRequest(),
        "Evaluate on all benchmarks, look for regressions and drift, check new data; a worse champion is retrained.",
        ("recognizer", "evaluation"),
        cron="30 2 * * *",
        busy="skip",
    ),
    Offer(
        ingest,
        "add",
        IngestRequest(folder=Path("photos")),
        "List a data set as an immutable snapshot: every file hashed and checked, with labels and licence.",
        ("data",),
    ),
    Offer(
        promote,
        "promote",
        PromoteRequest(),
        "Hold the gate against a version, ask a person where one has to agree, and make it champion.",
        ("registry",),
        at_once=None,  # the ledger sorts out who was first
    ),
    Offer(
        rollback,
        "rollback",
        RollbackRequest(reason="what is wrong with the champion"),
        "Give the place back to the previous champion, which has to answer before it serves.",
        ("registry",),
        at_once=None,
    ),
)
BUSY = {"queue": ConcurrencyLimitStrategy.ENQUEUE, "skip": ConcurrencyLimitStrategy.CANCEL_NEW}


def deployments() -> list[Any]:
    """Every deployment of the product; the UI draws a form from each flow's typed parameters."""
    return [_deployment(offer) for offer in OFFERS]


def full_name(offer: Offer) -> str:
    """How Prefect calls it: FLOW/NAME."""
    return f"{offer.flow.name}/{offer.name}"


def _deployment(offer: Offer) -> Any:
    limit = ConcurrencyLimitConfig(limit=offer.at_once, collision_strategy=BUSY[offer.busy]) if offer.at_once else None
    return offer.flow.to_deployment(
        name=offer.name,
        parameters={"request": offer.request.model_dump(mode="json")},
        description=offer.description,
        tags=list(offer.tags),
        schedule=Cron(offer.cron, timezone="UTC") if offer.cron else None,
        concurrency_limit=limit,
        entrypoint_type=EntrypointType.MODULE_PATH,  # by file, our folder would come before all libraries
    )
