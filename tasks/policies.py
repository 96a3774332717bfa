"""Retries, caching and timeouts of every task, in one place.

Results are never persisted by Prefect: the content store is the cache, keyed by inputs, configuration and code.
"""

from typing import Any

from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task

from infra.errors import InfrastructureError
from models.errors import TrinormalError

_COMMON: dict[str, Any] = {"cache_policy": NO_CACHE, "persist_result": False}


async def _worth_another_try(_: Task[..., Any], __: TaskRun, state: State[Any]) -> bool:
    """Our own errors say what a person has to do; a second try would only say it again."""
    error = await state.aresult(raise_on_failure=False)
    return not isinstance(error, TrinormalError | InfrastructureError | KeyboardInterrupt)


STAGE: dict[str, Any] = {**_COMMON, "retries": 1, "retry_delay_seconds": 2, "retry_condition_fn": _worth_another_try}
"""Stages that write to the content store: idempotent, so a second try costs only what is missing."""

CHECK: dict[str, Any] = {**_COMMON, "retries": 0}
"""Verdicts: asking again does not change them."""

REGISTER: dict[str, Any] = {**_COMMON, "retries": 2, "retry_delay_seconds": 5, "retry_condition_fn": _worth_another_try}
"""Calls to MLflow and the ledger: keyed, so a retry makes nothing twice."""

CHANGE: dict[str, Any] = {**_COMMON, "retries": 0}
"""Changes of champion: never repeated blindly; settling finishes what a crash left of one."""
