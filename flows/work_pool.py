"""Deployments on a Prefect work pool: any worker of the pool carries their runs out, here or in a cluster."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.exceptions import ObjectAlreadyExists
from prefect.workers.process import ProcessWorker


def register(deployments: Iterable[Any], pool: str) -> list[UUID]:
    """Make the deployments known on a pool; one that is not there yet becomes a pool of processes."""
    with get_client(sync_client=True) as client:
        try:
            template = ProcessWorker.get_default_base_job_template()
            client.create_work_pool(WorkPoolCreate(name=pool, type=ProcessWorker.type, base_job_template=template))
        except ObjectAlreadyExists:  # made before, by us, or with `prefect work-pool create` for another kind of worker
            pass
    return [each.apply(work_pool_name=pool) for each in deployments]


async def work(pool: str) -> None:
    """Carry out what the pool is asked for, a process a run, until SIGTERM or Ctrl-C."""
    await ProcessWorker(work_pool_name=pool, create_pool_if_not_found=False).start()
