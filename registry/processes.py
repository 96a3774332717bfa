"""Which process does something, told so that it can be seen later whether it is gone."""

import os
import socket
from functools import cache

import psutil

SAME_S = 5.0
"""A process that began further apart from what was noted has only got the number of another one."""


def this_process() -> str:
    """`host:number:began` of this process."""
    return _told(os.getpid())


def is_gone(told: str) -> bool:
    """Whether the process that `this_process` told of has ended; False for one of another machine, or for nothing."""
    host, _, rest = told.rpartition(":")[0].rpartition(":")
    began = told.rpartition(":")[2]
    if not told or host != socket.gethostname() or not rest.isdigit() or not began.isdigit():
        return False
    try:
        process = psutil.Process(int(rest))
        return process.status() == psutil.STATUS_ZOMBIE or abs(process.create_time() - int(began)) > SAME_S
    except psutil.NoSuchProcess:
        return True


@cache
def _told(pid: int) -> str:
    return f"{socket.gethostname()}:{pid}:{psutil.Process(pid).create_time():.0f}"
