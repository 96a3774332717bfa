"""A person is erased: by a command, or from the Prefect UI."""

from typing import Any

from prefect import flow

from flows.parameters import EraseRequest
from tasks.erase import erase_person


@flow(name="erase", retries=0, log_prints=False)
def erase(request: EraseRequest) -> dict[str, Any]:
    """Erase somebody everywhere, or say what that would be; safe to repeat."""
    return erase_person(request.person, request.data_set, outside=request.outside, dry_run=request.dry_run)
