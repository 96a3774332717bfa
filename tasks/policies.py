"""Retries, caching and timeouts of every task, in one place.

Results are never persisted by Prefect: the content store is the cache, keyed by inputs, configuration and code.
"""

from typing import Any

from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task

from infra.errors import InfrastructureError
from models.errors import TrinormalError
from registry.errors import TrackingUnavailable

_COMMON: dict[str, Any] = {"cache_policy": NO_CACHE, "persist_result": False}


async def _worth_another_try(_: Task[..., Any], __: TaskRun, state: State[Any]) -> bool:
    """Our own errors say what a person has to do; a second try would only say it again. Only an outage passes by."""
    error = await state.aresult(raise_on_failure=False)
    ours = isinstance(error, TrinormalError | InfrastructureError | KeyboardInterrupt)
    return isinstance(error, TrackingUnavailable) or not ours


STAGE: dict[str, Any] = {**_COMMON, "retries": 1, "retry_delay_seconds": 2, "retry_condition_fn": _worth_another_try}
"""Stages that write to the content store: idempotent, so a second try costs only what is missing."""

CHECK: dict[str, Any] = {**_COMMON, "retries": 0}
"""Verdicts: asking again does not change them."""

REGISTER: dict[str, Any] = {
    **_COMMON,
    "retries": 4,
    "retry_delay_seconds": [2, 10, 30, 60],
    "retry_condition_fn": _worth_another_try,
}
"""Calls to MLflow and the ledger: keyed, so a retry makes nothing twice."""

CHANGE: dict[str, Any] = {**_COMMON, "retries": 0}
"""Changes of champion: never repeated blindly; settling finishes what a crash left of one."""
DAY_S = 24 * 3600.0

TRAINING: dict[str, Any] = {"retries": 0, "timeout_seconds": 30 * DAY_S}
"""Flows that train. No retries: one started over finds what is done; the timeout ends one that hangs."""

WORK: dict[str, Any] = {"retries": 0, "timeout_seconds": 3 * DAY_S}
"""Flows that read, list and measure."""
