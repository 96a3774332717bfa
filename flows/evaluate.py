"""The champion on a folder of scans."""

from typing import Any

from prefect import flow

from flows.parameters import EvaluateRequest
from tasks import policies
from tasks.champion import open_champion
from tasks.evaluate_scans import identify, report_evaluation, scans_to_search
from tasks.normals import encode_scans
from tasks.promotion import settle


@flow(name="evaluate", **policies.WORK)
def evaluate_scans(request: EvaluateRequest) -> dict[str, Any]:
    """Clean, encode, enrol and search; what was done before is not done again."""
    settle(request.model)
    champion = open_champion(request.model)
    benchmark = scans_to_search(request.scans.absolute(), request.data_set, request.gallery_rule)
    scans = encode_scans(benchmark.root, benchmark.records, champion.normals)
    found = identify(champion, scans, benchmark)
    return report_evaluation(champion, benchmark, scans, found)
