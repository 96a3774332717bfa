"""Which reconstructors can be asked for, told before any server starts: imports nothing heavy."""

from pathlib import Path

from flows.parameters import ClassifiersRequest, ReconstructorRequest
from models.errors import ConfigurationError

TRAINABLE = ("expnet", "rnet", "texface")
UNTRAINED = ("landmarks",)
TOGETHER = "merged"
BENCHMARKS = ("bu3dfe", "frgc", "bosphorus", "bu4dfe", TOGETHER)
"""The simulated benchmarks, and paper A's merged one."""
EXPERIMENTS = ("pose", "occlusion", "few-scans", "recognition-aware")


def require_known(asked: list[str]) -> list[str]:
    """What was asked for, if each can be compared; raises `ConfigurationError` on an unknown name, a missing folder,
    none at all or one twice. `NAME=FOLDER` is a reconstructor of other makers with its weights or meshes.
    """
    names = [each.partition("=")[0] for each in asked]
    for each, name in zip(asked, names, strict=True):
        folder = each.partition("=")[2]
        if folder and not Path(folder).is_dir():
            raise ConfigurationError(f"{folder}: no such folder, for reconstructor {name!r}")
        if not folder and name not in (*TRAINABLE, *UNTRAINED):
            known = ", ".join((*TRAINABLE, *UNTRAINED))
            raise ConfigurationError(f"no reconstructor {name!r} to train; choose of {known}, or give {name}=FOLDER")
    if not names or len(set(names)) < len(names):
        raise ConfigurationError(f"reconstructors {','.join(asked)!r}: name each of them once, and at least one")
    return asked


def require_benchmarks(asked: list[str]) -> list[str]:
    """What was asked for, if there are such benchmarks. Raises `ConfigurationError`."""
    if not asked or not set(asked) <= set(BENCHMARKS) or len(set(asked)) < len(asked):
        raise ConfigurationError(f"benchmarks {','.join(asked)!r}: choose of {', '.join(BENCHMARKS)}, each once")
    return asked


def require_experiment(name: str) -> None:
    """Raise `ConfigurationError` for an experiment that there is not."""
    if name not in EXPERIMENTS:
        raise ConfigurationError(f"no experiment {name!r}; have {', '.join(EXPERIMENTS)}")


def require_trainable(request: ReconstructorRequest) -> None:
    """Raise `ConfigurationError` for a name that nothing trains, or that knows no training without labels."""
    if request.name not in (*TRAINABLE, "cnet"):
        raise ConfigurationError(
            f"no reconstructor {request.name!r} to train; choose of {', '.join(TRAINABLE)}, or cnet"
        )
    if request.without_labels and request.name != "rnet":
        raise ConfigurationError(f"{request.name!r} cannot be trained without labels; rnet can")


def require_collections(request: ClassifiersRequest) -> None:
    """Raise `ConfigurationError` for one real data set without the other, an absent folder or list, or no genders."""
    given = {"--kdef": request.kdef, "--fei": request.fei}
    missing = [name for name, folder in given.items() if folder is None]
    if len(missing) == 1:
        raise ConfigurationError(f"{missing[0]} is not given: give the folders of both data sets, or of none")
    for name, folder in given.items():
        if folder is not None and not folder.is_dir():
            raise ConfigurationError(f"{folder}: no such folder, for {name}")
    if request.fei is None:
        if request.genders is not None:
            raise ConfigurationError("--genders without --fei: simulated people have their genders listed")
    elif request.genders is None or not request.genders.is_file():
        raise ConfigurationError(
            f"{request.genders or '--genders'}: no such list; FEI publishes no genders, and none are guessed: "
            "give a CSV with the columns subject,gender"
        )
