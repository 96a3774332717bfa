import multiprocessing
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.errors import StoreError
from infra.store import Artefact, ContentStore, StageSize, artefact_key

KEY, OTHER = "a" * 64, "b" * 64


@pytest.fixture
def store(tmp_path: Path) -> ContentStore:
    return ContentStore(tmp_path / "store")


def build(folder: Path) -> None:
    (folder / "deep").mkdir()
    (folder / "deep" / "x.bin").write_bytes(b"12345")
    (folder / "y.txt").write_text("yes")


def race(root: Path, name: str, start: object, answers: object) -> None:
    start.wait()  # type: ignore[attr-defined]

    def build_slowly(folder: Path) -> None:
        for number in range(20):
            (folder / f"{number}.txt").write_text(name)

    made = ContentStore(root).ensure("crops", KEY, build_slowly)
    answers.put({path.read_text() for path in made.path.glob("*.txt")})  # type: ignore[attr-defined]


def test_an_artefact_is_there_when_its_block_has_ended_and_not_before(store: ContentStore):
    with store.write("crops", KEY) as staging:
        build(staging)
        assert store.lookup("crops", KEY) is None
    found = store.get("crops", KEY)
    assert (found.path / "deep" / "x.bin").read_bytes() == b"12345"
    store.verify(found)
    assert store.sizes() == {"crops": StageSize(1, 8)}
    assert list(store.artefacts("crops")) == [found]


def test_a_block_that_raises_leaves_nothing(store: ContentStore):
    with pytest.raises(ZeroDivisionError), store.write("crops", KEY) as staging:
        build(staging)
        raise ZeroDivisionError
    assert store.lookup("crops", KEY) is None
    assert [path for path in store.root.rglob("*") if path.is_file()] == []
    with pytest.raises(StoreError, match="run the stage"):
        store.get("crops", KEY)


def test_what_is_there_is_not_made_again(store: ContentStore):
    first = store.ensure("crops", KEY, build)

    def never(_: Path) -> None:
        raise AssertionError("made again")

    assert store.ensure("crops", KEY, never) == first


def test_processes_that_write_one_artefact_at_once_all_get_the_same_whole_one(tmp_path: Path):
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pytest", "hypothesis", "infra.store"])
    start, answers = context.Barrier(4), context.Queue()
    workers = [context.Process(target=race, args=(tmp_path, f"w{n}", start, answers)) for n in range(4)]
    for worker in workers:
        worker.start()
    seen = [answers.get(timeout=60) for _ in workers]
    for worker in workers:
        worker.join()
    assert all(names == seen[0] and len(names) == 1 for names in seen)
    store = ContentStore(tmp_path)
    store.verify(store.get("crops", KEY))
    assert list(tmp_path.rglob(".*")) == []


def test_the_slower_of_two_writers_discards_its_copy(store: ContentStore):
    inside, done = threading.Event(), threading.Event()

    def slow() -> None:
        with store.write("crops", KEY) as staging:
            (staging / "a").write_text("slow")
            inside.set()
            done.wait(10)

    thread = threading.Thread(target=slow)
    thread.start()
    inside.wait(10)
    with store.write("crops", KEY) as staging:
        (staging / "a").write_text("fast")
    done.set()
    thread.join()
    assert (store.get("crops", KEY).path / "a").read_text() == "fast"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda path: (path / "y.txt").write_text("no!"), "y.txt is changed"),
        (lambda path: (path / "y.txt").unlink(), "y.txt is missing"),
        (lambda path: (path / "new").write_text(""), "new is not in the manifest"),
        (lambda path: (path / "manifest.json").write_text("{"), "manifest cannot be read"),
        (lambda path: (path / "y.txt").rename(path / "z.txt"), "y.txt is missing"),
    ],
)
def test_every_change_in_a_stored_artefact_is_found(store: ContentStore, change, told: str):
    made = store.ensure("crops", KEY, build)
    change(made.path)
    with pytest.raises(StoreError, match=told):
        store.verify(made)


def test_an_artefact_moved_to_another_key_is_found(store: ContentStore):
    made = store.ensure("crops", KEY, build)
    moved = store.root / "crops" / OTHER[:2] / OTHER
    moved.parent.mkdir()
    made.path.rename(moved)
    with pytest.raises(StoreError, match="another artefact"):
        store.content_hash(Artefact("crops", OTHER, moved))


def test_the_content_hash_follows_the_bytes_and_not_the_key(store: ContentStore):
    one, same = store.ensure("crops", KEY, build), store.ensure("crops", OTHER, build)
    other = store.ensure("crops", "c" * 64, lambda folder: (folder / "y.txt").write_text("yes") and None)
    assert store.content_hash(one) == store.content_hash(same) != store.content_hash(other)


def test_removing_forgets_an_artefact_and_may_be_repeated(store: ContentStore):
    made = store.ensure("crops", KEY, build)
    store.remove(made)
    store.remove(made)
    assert store.lookup("crops", KEY) is None
    assert store.sizes() == {"crops": StageSize(0, 0)}


def test_a_folder_without_a_manifest_is_not_trusted(store: ContentStore):
    target = store.root / "crops" / KEY[:2] / KEY
    target.mkdir(parents=True)
    (target / "y.txt").write_text("left by somebody")
    store.ensure("crops", KEY, build)
    assert (store.get("crops", KEY).path / "y.txt").read_text() == "yes"


@pytest.mark.parametrize(("stage", "key"), [("../crops", KEY), ("crops", "../../etc"), ("crops", "A" * 64), ("", KEY)])
def test_names_cannot_lead_out_of_the_store(store: ContentStore, stage: str, key: str):
    with pytest.raises(StoreError, match="plain lower-case name"):
        store.lookup(stage, key)


def test_links_and_the_stores_own_file_name_are_refused(store: ContentStore, tmp_path: Path):
    with pytest.raises(StoreError, match="links"), store.write("crops", KEY) as staging:
        (staging / "link").symlink_to(tmp_path)
    with pytest.raises(StoreError, match="keeps for itself"), store.write("crops", KEY) as staging:
        (staging / "manifest.json").write_text("{}")


VALUES = st.tuples(
    st.sampled_from(["crops", "normals"]),
    st.lists(st.sampled_from([KEY, OTHER]), max_size=2),
    st.dictionaries(st.sampled_from(["a", "b"]), st.integers(0, 1) | st.floats(0, 1), max_size=2),
    st.sampled_from(["c1", "c2"]),
)


@given(VALUES, VALUES)
def test_keys_are_equal_exactly_when_everything_that_determines_an_artefact_is(one, other):
    assert (artefact_key(*one) == artefact_key(*other)) == (repr_sorted(one) == repr_sorted(other))


def repr_sorted(values) -> str:
    stage, inputs, config, code = values
    return repr((stage, inputs, sorted(config.items()), code))


@pytest.mark.parametrize("config", [{"x": float("nan")}, {"x": Path("a")}, {"x": {1, 2}}])
def test_a_configuration_that_json_cannot_say_is_refused(config: object):
    with pytest.raises(StoreError, match="no canonical JSON"):
        artefact_key("crops", [], config, "c")


DYING_WRITER = """
import sys, time
from pathlib import Path
from infra.store import ContentStore
with ContentStore(Path(sys.argv[1])).write("crops", "a" * 64) as staging:
    (staging / "half.txt").write_text("half")
    print("ready", flush=True)
    time.sleep(600)
"""


def test_sweeping_removes_what_a_killed_writer_left_and_spares_a_living_one(store: ContentStore):
    store.ensure("crops", OTHER, build)
    with subprocess.Popen([sys.executable, "-c", DYING_WRITER, str(store.root)], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        (left,) = store.root.glob("crops/aa/.*.partial")
        assert store.sweep() == ()
        assert (left / "half.txt").is_file()
        writer.send_signal(signal.SIGKILL)
    assert store.sweep() == (left,)
    assert not left.exists()
    assert store.sweep() == ()
    assert [made.key for made in store.artefacts("crops")] == [OTHER]


def test_a_writer_that_has_ended_leaves_nothing_to_sweep(store: ContentStore):
    with store.write("crops", KEY) as staging:
        build(staging)
        assert store.sweep() == ()
    assert store.sweep() == ()
    store.verify(store.get("crops", KEY))
