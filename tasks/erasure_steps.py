"""The steps of an erasure. Each may be done again, after a kill as well: what is gone already is no error."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from infra.database import compact
from infra.files import atomic_write_bytes, remove
from infra.keys import KeyFolder
from infra.scrub import is_sqlite, scrub_file, scrub_sqlite
from infra.traces import Needles, holds, needles, traces
from registry.catalogue import find_snapshot, list_snapshots
from registry.erasure import forget_inputs, leave_out, runs_about
from registry.gallery import Gallery
from tasks.erasure_plan import Plan
from tasks.wiring import Workspace

Step = Callable[[Workspace, Plan], Counter[str]]
OWN = {"assets", "keys", "signing", "erasures", "store"}
"""Folders of a home that no other step looks into: they are seen to by their own."""
RESULTS = {"results.json", "compare.json", "classifiers.json", "report.html"}
"""What a folder of a job's results holds: it is written again by the next run."""
PICTURES = {".png", ".html", ".jpg"}


def close_gallery(workspace: Workspace, plan: Plan) -> Counter[str]:
    """Destroy the key, drop samples and templates."""
    gallery = Gallery(workspace.engine, KeyFolder(workspace.settings.keys))
    return Counter(keys_destroyed=int(gallery.forget(plan.person)))


def leave_snapshots(workspace: Workspace, plan: Plan) -> Counter[str]:
    """List the snapshots anew without the person, and take the files' hashes out of the lineage."""
    present = {snapshot.id for snapshot in list_snapshots(workspace.engine)} & set(plan.snapshots)
    for snapshot_id in sorted(present):
        leave_out(workspace.engine, find_snapshot(workspace.engine, snapshot_id), plan.person)
    hashes = forget_inputs(workspace.engine, plan.hashes)
    return Counter(snapshots_listed_anew=len(present), lineages=hashes)


def remove_artefacts(workspace: Workspace, plan: Plan) -> Counter[str]:
    """Remove what was derived from the person; the next run makes it anew without them."""
    done: Counter[str] = Counter()
    for stage, key in plan.artefacts:
        found = workspace.store.lookup(stage, key)
        if found is not None:
            workspace.store.remove(found)
            done["artefacts"] += 1
        (workspace.home / "timings" / stage / f"{key}.json").unlink(missing_ok=True)
    return done


def remove_files(workspace: Workspace, plan: Plan) -> Counter[str]:
    """Delete the person's own files below the home, and folders that are empty then."""
    done: Counter[str] = Counter()
    for path in map(Path, plan.inside):
        if path.is_file():
            path.unlink()
            done["files"] += 1
        for folder in path.parents:
            if folder == workspace.home or not folder.is_relative_to(workspace.home) or not folder.is_dir():
                break
            with suppress(OSError):  # somebody else's files are in it
                folder.rmdir()
    return done


def remove_outside(_: Workspace, plan: Plan) -> Counter[str]:
    """Delete the person's files that lie elsewhere, where that was asked for."""
    present = [Path(path) for path in plan.outside if Path(path).is_file()]
    for path in present:
        path.unlink()
    return Counter(files=len(present))


def clear_mlflow(workspace: Workspace, plan: Plan) -> Counter[str]:
    """Remove pictures and pages of the runs that used the person's snapshots: nobody can be looked for in a picture."""
    root = workspace.settings.mlflow_artifacts
    done: Counter[str] = Counter()
    for run_id in runs_about(workspace.tracker, [*plan.snapshots, *plan.before]):
        for folder in root.glob(f"*/{run_id}"):
            for path in [path for path in folder.rglob("*") if path.suffix in PICTURES]:
                path.unlink()
                done["mlflow_files"] += 1
    return done


def clear_home(workspace: Workspace, plan: Plan) -> Counter[str]:
    """Results, validations, scratch, caches, logs and other programs' databases below the home."""
    wanted, done = plan.wanted(), Counter[str]()
    for folder in list(_results_about(workspace.home, plan)):
        remove(folder)
        done["result_folders"] += 1
    for path in list(_others(workspace, wanted)):
        if path.exists() or path.is_symlink():
            done += _clear(workspace.home, path, wanted)
    for database in _databases(workspace):
        done["database_cells"] += scrub_sqlite(database, wanted)
    compact(workspace.engine)
    return done


STEPS: tuple[Step, ...] = (close_gallery, leave_snapshots, remove_artefacts, remove_files, clear_mlflow, clear_home)


class LeftOver(NamedTuple):
    """Files below the home that hold a trace, and artefacts that say the name of what may be somebody else."""

    traces: list[str]
    namesakes: list[str]


def left_over(workspace: Workspace, plan: Plan) -> LeftOver:
    """Look through the whole home once more.

    Where another data set calls somebody else by the same name, its artefacts say that name rightly.
    """
    by_hash, store = needles(plan.hashes), workspace.settings.store
    found = list(traces(workspace.home, plan.wanted()))
    sure = [path for path in found if not path.is_relative_to(store) or (path.is_file() and holds(path, by_hash))]
    others = [path for path in found if path not in sure]
    return LeftOver(*([str(path.relative_to(workspace.home)) for path in some] for some in (sure, others)))


def _results_about(home: Path, plan: Plan) -> Iterator[Path]:
    """Folders of results made from the person's snapshots, or that speak of the person."""
    about = needles([*plan.names, *plan.hashes, *plan.snapshots, *plan.before])
    folders = [path for path in home.iterdir() if path.is_dir() and RESULTS & {file.name for file in path.iterdir()}]
    for folder in [*folders, *(home / "validation").glob("*"), *(home / "scratch").glob("*")]:
        if folder.is_dir() and any(traces(folder, about)):
            yield folder


def _others(workspace: Workspace, wanted: Needles) -> Iterator[Path]:
    """Everything else with a trace in it, databases left out."""
    for folder in sorted(workspace.home.iterdir()):
        if folder.is_dir() and folder.name not in OWN:
            for path in traces(folder, wanted):
                if not path.name.endswith(("-wal", "-shm")) and not (path.is_file() and is_sqlite(path)):
                    yield path


def _clear(home: Path, path: Path, wanted: Needles) -> Counter[str]:
    place = path.relative_to(home).parts[0]
    if place in ("logs", "prefect") and path.is_file():
        return Counter(texts=int(scrub_file(path, wanted)))
    if place in ("mlflow", "cache"):
        remove(path)
        return Counter(mlflow_files=1) if place == "mlflow" else Counter(cached_files=1)
    if path.suffix == ".csv":
        lines = path.read_bytes().splitlines(keepends=True)
        atomic_write_bytes(path, b"".join(line for line in lines if not wanted.within(line)))
        return Counter(texts=1)
    return Counter()


def _databases(workspace: Workspace) -> Iterator[Path]:
    """Other programs' databases below the home; ours is cleared row by row."""
    own = workspace.engine.url.database
    for folder in ("mlflow", "prefect"):
        for path in sorted((workspace.home / folder).rglob("*.db")):
            if str(path) != own and is_sqlite(path):
                yield path
