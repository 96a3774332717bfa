"""How the numeric kernels of the project are compiled."""

import inspect
from collections.abc import Callable
from typing import TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """Compile `function` with numba: no GIL while it runs, kept on disk, division by zero gives infinity.

    Threads of Python are the only parallelism: numba's own (`prange`) aborts the process when two Python threads
    enter it on the default threading layer, and GNU OpenMP does when a data loader forks.
    """
    # the run-time type checks of the tests wrap every function, and numba must see the bare one
    bare = inspect.unwrap(function)
    return cast(Function, njit(cache=True, nogil=True, error_model="numpy")(bare))
