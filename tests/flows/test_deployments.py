"""A deployment finds its flow wherever the server was started."""

import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


def test_each_flow_is_named_by_its_module_and_its_form_has_defaults_that_it_takes():
    from flows.deployments import deployments
    from flows.parameters import (
        ClassifiersRequest,
        CompareRequest,
        IngestRequest,
        PromoteRequest,
        ReconstructorRequest,
        RollbackRequest,
        TrainRequest,
    )

    offered = {deployment.entrypoint: deployment for deployment in deployments()}
    requests = {
        "flows.recognizer.train_recognizer": TrainRequest(),
        "flows.reconstructor.train_reconstructor": ReconstructorRequest(name="rnet"),
        "flows.compare.compare_reconstructors": CompareRequest(),
        "flows.classifiers.train_classifiers": ClassifiersRequest(),
        "flows.ingest.ingest": IngestRequest(folder=Path("photos")),
        "flows.promote.promote": PromoteRequest(),
        "flows.promote.rollback": RollbackRequest(reason="what is wrong with the champion"),
    }
    assert offered.keys() == requests.keys()
    for entrypoint, request in requests.items():
        assert type(request).model_validate(offered[entrypoint].parameters["request"]) == request


@pytest.mark.parametrize("room", ["flows", "tasks"])
def test_no_module_hides_a_library_when_its_folder_comes_first(room: str):
    """Prefect and Dask may put a script's folder before everything else."""
    ours = {path.stem for path in (REPOSITORY / room).glob("*.py")} - {"__init__"}
    assert ours & (set(sys.stdlib_module_names) | set(packages_distributions())) == set()
