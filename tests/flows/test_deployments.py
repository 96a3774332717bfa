"""A deployment finds its flow wherever the server was started."""

import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


def test_each_flow_is_named_by_its_module_and_its_form_has_defaults_that_it_takes():
    from flows.deployments import OFFERS, deployments

    made = deployments()
    assert len({(deployment.flow_name, deployment.name) for deployment in made}) == len(OFFERS)
    for offer, deployment in zip(OFFERS, made, strict=True):
        assert deployment.entrypoint == f"{offer.flow.fn.__module__}.{offer.flow.fn.__name__}"
        assert type(offer.request).model_validate(deployment.parameters["request"]) == offer.request
        assert deployment.concurrency_limit == offer.at_once


def test_every_field_of_every_form_says_what_it_means_and_nothing_else_is_taken():
    from flows.deployments import OFFERS

    for offer in OFFERS:
        schema = type(offer.request).model_json_schema()
        assert schema["additionalProperties"] is False
        unexplained = [name for name, field in schema["properties"].items() if len(field.get("description", "")) < 10]
        assert unexplained == [], offer.flow.name
        assert len(offer.description) > 20
        assert offer.tags


@pytest.mark.parametrize("room", ["flows", "tasks"])
def test_no_module_hides_a_library_when_its_folder_comes_first(room: str):
    """Prefect and Dask may put a script's folder before everything else."""
    ours = {path.stem for path in (REPOSITORY / room).glob("*.py")} - {"__init__"}
    assert ours & (set(sys.stdlib_module_names) | set(packages_distributions())) == set()
