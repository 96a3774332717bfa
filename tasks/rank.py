"""One process of a training: `python -m tasks.rank WORK FOLDER SCRATCH`, started by `torch.distributed.run`.

On machines that lend their processors (`tasks.lending`) the work is `lent`: the first machine says what it is.
"""

import os
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any

from infra.errors import InfrastructureError
from infra.files import atomic_write_json
from models.errors import TrinormalError
from models.training.ranks import my_part

WORKS = {"sphere20": ("tasks.fit_sphere20", "fit_sphere20"), "expnet": ("tasks.fit_expnet", "fit_expnet")}
"""A module and its function of (folder, scratch, fit), where the module's class `Fit` says what to train on what."""


def main(work: str, folder: Path, scratch: Path) -> int:
    """Carry out the part of this process; 1 when it failed for a reason that a person can mend."""
    from tasks.nodes import LENT, hear_from_first, load_portable, tell_nodes
    from tasks.ranks import FAILURE, SPEC
    from tasks.spec import load_spec

    Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    _speak_for_all()
    tell_nodes(work, scratch)
    name, function = WORKS[hear_from_first(scratch) if work == LENT else work]
    module: Any = import_module(name)
    fit: Callable[..., None] = getattr(module, function)
    try:
        if work == LENT:
            from tasks.wiring import open_workspace

            workspace = open_workspace()
            told = load_portable(scratch, module.Fit, workspace.settings, workspace.store)
        else:
            told = load_spec(scratch / SPEC, module.Fit)
        fit(folder, scratch, told)
    except (TrinormalError, InfrastructureError) as error:
        atomic_write_json(scratch / FAILURE, {"reason": str(error)})
        return 1
    finally:
        _leave()
    return 0


def _speak_for_all() -> None:
    """The first process tells on the standard output, which the parent passes on; the others are silent."""
    from tasks import progress

    progress.console.file = sys.stdout
    progress.console.quiet = not my_part().is_first


def _end_with(parent: int) -> None:
    """End when the launcher is gone: nobody else would stop us."""
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(1)


def _leave() -> None:
    import torch.distributed as dist

    if dist.is_initialized():
        dist.destroy_process_group()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])))
