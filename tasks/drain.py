"""Many jobs through a Dask cluster: few in flight at a time, so that memory is flat however many there are."""

from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from itertools import islice
from typing import Any, NamedTuple

from tasks.cluster import ClusterError
from tasks.quarantine import is_ours

AHEAD = 2
"""Jobs in flight for each thread of the cluster: one at work, one waiting for it."""


class Job(NamedTuple):
    """`function(*arguments)` in a worker process; `name` is the same for the same work."""

    name: str
    function: Callable[..., Any]
    arguments: tuple[Any, ...]


class Outcome(NamedTuple):
    """What became of job `number`."""

    number: int
    error: BaseException | None


def drain(client: Any, job: Callable[[int], Job], count: int) -> Iterator[Outcome]:
    """The final outcome of job 0 to `count` - 1, as they come; each is asked for only when its turn has come.

    A job that raises what a second try might mend, or whose workers died, is tried again when the others are done, and
    alone: nobody else's death is then blamed on it. Raises `ClusterError` when the scheduler is lost or a worker is of
    no use to anybody.
    """
    doubted: list[int] = []
    for outcome in _first_tries(client, job, count):
        if outcome.error is None or is_ours(outcome.error):
            yield outcome
        else:
            doubted.append(outcome.number)
    for number in doubted:
        future = _submit(client, job(number), "alone")
        yield Outcome(number, _error_of(future))


def _first_tries(client: Any, job: Callable[[int], Job], count: int) -> Iterator[Outcome]:
    from distributed import as_completed

    waiting = iter(range(count))
    numbers: dict[str, int] = {}
    futures = as_completed()

    def send(many: int) -> None:
        for number in islice(waiting, many):
            future = _submit(client, job(number), "first")
            numbers[future.key] = number
            futures.add(future)

    send(_width(client))
    for future in futures:
        number = numbers.pop(future.key)
        error = _error_of(future)
        send(max(1, _width(client) - len(numbers)))
        yield Outcome(number, error)


def _submit(client: Any, job: Job, attempt: str) -> Any:
    return client.submit(job.function, *job.arguments, key=f"{job.name}-{attempt}", retries=0, pure=False)


def _width(client: Any) -> int:
    """How many jobs to keep in flight; workers may come and go."""
    return max(1, AHEAD * sum(client.nthreads().values()))


def _error_of(future: Any) -> BaseException | None:
    """What the job raised; waits for it, and lets the cluster forget it."""
    try:
        error = future.exception()
    except CancelledError:
        raise ClusterError("the Dask scheduler was lost; the same command goes on where it was") from None
    future.release()
    if isinstance(error, ClusterError):
        raise error
    return error
