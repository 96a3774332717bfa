"""What the Prefect UI offers: names, default parameters, tags."""

from typing import Any

from prefect.types.entrypoint import EntrypointType

from flows.parameters import TrainRequest
from flows.recognizer import train_recognizer


def deployments() -> list[Any]:
    """Every deployment of the product; the UI draws a form from each flow's typed parameters."""
    return [
        train_recognizer.to_deployment(
            name="retrain",
            parameters={"request": TrainRequest().model_dump(mode="json")},
            description="Train, measure and register a recogniser; it becomes champion if it passes its gate.",
            tags=["recognizer", "training"],
            concurrency_limit=1,
            entrypoint_type=EntrypointType.MODULE_PATH,  # by file, our folder would come before all libraries
        )
    ]
