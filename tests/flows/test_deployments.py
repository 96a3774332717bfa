"""A deployment finds its flow wherever the server was started."""

import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


def test_the_flow_is_named_by_its_module_and_the_form_has_defaults():
    from flows.deployments import deployments
    from flows.parameters import TrainRequest

    (deployment,) = deployments()
    assert deployment.entrypoint == "flows.recognizer.train_recognizer"
    assert TrainRequest.model_validate(deployment.parameters["request"]) == TrainRequest()


@pytest.mark.parametrize("room", ["flows", "tasks"])
def test_no_module_hides_a_library_when_its_folder_comes_first(room: str):
    """Prefect and Dask may put a script's folder before everything else."""
    ours = {path.stem for path in (REPOSITORY / room).glob("*.py")} - {"__init__"}
    assert ours & (set(sys.stdlib_module_names) | set(packages_distributions())) == set()
