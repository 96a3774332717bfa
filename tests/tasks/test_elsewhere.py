"""The processes of the compose file by hand: PostgreSQL, S3, a Dask scheduler, and workers with homes of their own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Timer

import psutil
import pytest

from flows.servers import free_port
from infra.database import migrate, open_engine
from infra.environment import environment
from infra.errors import SettingsError
from infra.settings import load_settings
from infra.store import ContentStore, open_store
from registry.lineage import ancestors
from registry.tracking import Tracker
from tasks import cluster
from tasks.cluster import ClusterError
from tasks.portable import InHome, InStore, pack, unpack
from tasks.quarantine import DIED, ShardsSetAsideError
from tasks.stages import make_all
from tasks.wiring import Workspace
from tests.infra.buckets import KEYS, new_bucket, s3_server
from tests.infra.databases import postgres_schema
from tests.tasks.shard_builders import copy_numbers, die_on_twos, write_slowly, write_square

pytestmark = pytest.mark.unproven

REPOSITORY = Path(__file__).resolve().parents[2]
CODE = ["tasks.worker"]


def test_paths_become_artefacts_and_come_back_as_those_of_the_other_machine(tmp_path: Path):
    ours, theirs = (load_settings(home=tmp_path / name) for name in ("ours", "theirs"))
    here, there = (open_store(each.store, str(tmp_path / "shared")) for each in (ours, theirs))
    made = here.ensure("stage", "a" * 64, lambda folder: (folder / "file").touch())
    given = {"faces": [made.path / "file", None], "nets": ours.assets, "root": Path("/photos"), "n": (1, "x")}
    packed = pack(given, ours, here)
    assert packed["faces"][0] == InStore("stage", "a" * 64, "file")
    assert packed["nets"] == InHome("assets")
    back = unpack(packed, theirs, there)
    assert back["faces"][0] == theirs.store / "stage" / "aa" / ("a" * 64) / "file"
    assert back["faces"][0].is_file()
    assert back | {"faces": None} == {"faces": None, "nets": theirs.assets, "root": Path("/photos"), "n": (1, "x")}


def test_a_scheduler_elsewhere_needs_a_store_that_its_workers_see():
    with pytest.raises(SettingsError, match="TRINORMAL_DASK_ADDRESS needs TRINORMAL_STORE_URL"):
        load_settings(dask_address="tcp://somewhere:8786")
    with pytest.raises(SettingsError, match=r"STORE_URL: .*credentials do not belong"):
        load_settings(store_url="s3://key:secret@bucket/store")


def test_a_scheduler_that_does_not_answer_is_one_line(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(cluster, "WORKERS_WITHIN_S", 1)
    with pytest.raises(ClusterError, match=r"no answer .* or unset TRINORMAL_DASK_ADDRESS"):
        cluster.remote_client(f"tcp://127.0.0.1:{free_port()}")


class Machines:
    """A scheduler and workers, each with a home of its own; everything ends with the test."""

    def __init__(self, folder: Path, store_url: str, stack: ExitStack) -> None:
        self.folder, self.store_url, self.stack = folder, store_url, stack
        self.address = f"tcp://127.0.0.1:{free_port()}"
        self._start("scheduler", ["scheduler", "--host", self.address, "--no-dashboard"], {})

    def add_worker(self, name: str, **more: str) -> psutil.Process:
        home = self.folder / name
        settings = load_settings(home=home, store_url=self.store_url)
        told = {**environment(settings), "TRINORMAL_STORE_URL": self.store_url, **more}
        command = [
            "worker",
            self.address,
            "--nthreads",
            "1",
            "--nworkers",
            "1",
            "--memory-limit",
            "0",
            "--no-dashboard",
        ]
        command += ["--preload", "tasks.worker", "--local-directory", str(self.folder / "dask")]
        return self._start(name, command, told)

    def _start(self, name: str, command: list[str], told: dict[str, str]) -> psutil.Process:
        log = self.stack.enter_context((self.folder / f"{name}.log").open("wb"))
        variables = {**os.environ, **told, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
        variables["DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES"] = "1"
        process = subprocess.Popen([sys.executable, "-m", "dask", *command], env=variables, stdout=log, stderr=log)
        self.stack.callback(end, process)
        return psutil.Process(process.pid)


def end(process: subprocess.Popen[bytes]) -> None:
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    process.terminate()
    _, alive = psutil.wait_procs(family, timeout=15)
    for each in alive:
        each.kill()
    process.wait()


@pytest.mark.slow
@pytest.mark.servers
@pytest.mark.filterwarnings("ignore")
class TestElsewhere:
    @pytest.fixture(scope="class")
    def machines(self, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
        with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
            endpoint = stack.enter_context(s3_server())
            for name, value in {**KEYS, "AWS_ENDPOINT_URL": endpoint}.items():
                patch.setenv(name, value)
            machines = Machines(tmp_path_factory.mktemp("machines"), new_bucket(endpoint), stack)
            for name in ("first", "second"):
                machines.add_worker(name)
            yield machines
            if cluster._connect.cache_info().currsize:
                cluster.remote_client(machines.address).close()
                cluster._connect.cache_clear()

    @pytest.fixture(scope="class")
    def database(self) -> Iterator[str]:
        yield from postgres_schema()

    @pytest.fixture
    def workspace(self, machines: Machines, database: str, tmp_path: Path) -> Iterator[Workspace]:
        settings = load_settings(
            home=tmp_path / "home", database_url=database, dask_address=machines.address, store_url=machines.store_url
        )
        engine = open_engine(settings.database_url.get_secret_value())
        migrate(engine)
        store = open_store(settings.store, settings.store_url)
        yield Workspace(settings, store, engine, Tracker(settings.mlflow_tracking_uri, settings.mlflow_artifacts))
        engine.dispose()

    def test_workers_with_other_disks_make_what_this_machine_makes(self, workspace: Workspace, tmp_path: Path):
        units = [([], {"number": number}) for number in range(6)]
        squares = make_all(workspace, "squares", units, CODE, write_square, "squares")
        alone = ContentStore(tmp_path / "alone")
        for made, (_, config) in zip(squares, units, strict=True):
            assert (made.path / "square.txt").read_text() == str(config["number"] ** 2)
            again = alone.ensure("squares", made.key, lambda folder, config=config: write_square(folder, **config))
            assert alone.content_hash(again) == workspace.store.content_hash(made)
        assert [node.stage for node in ancestors(workspace.engine, squares[0].key)] == ["squares"]
        assert make_all(workspace, "squares", units, CODE, write_square, "squares") == squares

    def test_inputs_are_fetched_from_the_store(self, workspace: Workspace, machines: Machines):
        (source,) = make_all(workspace, "sources", [([], {"number": 7})], CODE, write_square, "sources", workers=1)
        for name in ("first", "second"):
            (machines.folder / name / "beside.txt").write_text(" and mine")
        where = [{"source": source.path, "beside": workspace.home / "beside.txt"}]
        (made,) = make_all(workspace, "sums", [([source], {})], CODE, copy_numbers, "sums", where)
        assert (made.path / "sum.txt").read_text() == "49 and mine"

    def test_a_killed_worker_and_a_poison_shard_stop_nobody(self, workspace: Workspace):
        units = [([], {"number": number, "seconds": 1.0}) for number in range(8)]
        killer = Timer(2.0, lambda: os.kill(next(iter(_workers_below(os.getpid()))).pid, signal.SIGKILL))
        killer.start()
        made = make_all(workspace, "slow", units, CODE, write_slowly, "slow")
        killer.join()
        assert len(made) == 8
        for artefact in made:
            workspace.store.verify(artefact)
        poison = [([], {"number": number}) for number in range(4)]
        with pytest.raises(ShardsSetAsideError, match=f"1 of 4 set aside .*{DIED}"):
            make_all(workspace, "poison", poison, CODE, die_on_twos, "poison")
        assert len(list(workspace.store.artefacts("poison"))) == 3

    def test_a_worker_with_another_store_is_found_out(self, workspace: Workspace, machines: Machines):
        other = workspace.settings.model_copy(update={"store_url": str(machines.folder / "other")})
        store = open_store(other.store, other.store_url)
        with pytest.raises(ClusterError, match="a worker's TRINORMAL_STORE_URL is"):
            make_all(
                workspace._replace(settings=other, store=store),
                "squares",
                [([], {"number": 99})],
                CODE,
                write_square,
                "squares",
            )


def _workers_below(pid: int) -> list[psutil.Process]:
    """The processes that do the work: children of the workers' nannies."""
    nannies = [each for each in psutil.Process(pid).children() if "worker" in each.cmdline()]
    return [child for nanny in nannies for child in nanny.children() if "spawn_main" in " ".join(child.cmdline())]
