"""What one machine makes another finds, whole or not at all: on a folder and on a real S3 server."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from threading import Barrier, Thread

import pytest

from infra import shared_store
from infra.errors import StoreError
from infra.objects import Objects, open_objects
from infra.shared_store import SharedStore
from infra.store import Artefact, ContentStore, open_store
from tests.infra.buckets import KEYS, new_bucket, s3_server

KEY, OTHER = (hashlib.sha256(name).hexdigest() for name in (b"one", b"two"))
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with s3_server() as address:
        yield address


@pytest.fixture(params=["folder", "s3"])
def url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "folder":
        return str(tmp_path / "shared")
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    address = request.getfixturevalue("endpoint")
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    return new_bucket(address)


def fill(folder: Path, text: str = "deep") -> None:
    (folder / "below").mkdir()
    (folder / "below" / "file.txt").write_text(text)
    (folder / "same.txt").write_text(text)
    (folder / "empty").write_bytes(b"")


def objects_of(store: ContentStore) -> Objects:
    assert store.shared is not None
    return store.shared.objects


def test_another_machine_finds_the_same_bytes(url: str, tmp_path: Path):
    here, there = open_store(tmp_path / "a", url), open_store(tmp_path / "b", url)
    assert there.lookup("stage", KEY) is None
    made = here.ensure("stage", KEY, fill)
    found = there.ensure("stage", KEY, lambda _: pytest.fail("made twice"))
    assert found.path != made.path
    assert there.content_hash(found) == here.content_hash(made)
    there.verify(found)
    assert (found.path / "below" / "file.txt").read_text() == "deep"
    assert [artefact.key for artefact in open_store(tmp_path / "c", url).artefacts("stage")] == [KEY]


def test_the_manifest_is_written_last_and_without_it_there_is_nothing(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    here, there = open_store(tmp_path / "a", url), open_store(tmp_path / "b", url)

    def fail(*_: object) -> bool:
        assert len(list(objects_of(here).names("stage"))) == 2
        raise StoreError("the network is gone")

    with monkeypatch.context() as broken:
        broken.setattr(type(objects_of(here)), "put_new", fail)
        with pytest.raises(StoreError, match="network is gone"):
            here.ensure("stage", KEY, fill)
    assert here.lookup("stage", KEY) is None
    assert there.lookup("stage", KEY) is None
    assert list((tmp_path / "a").rglob("*.txt")) == []
    assert there.get("stage", here.ensure("stage", KEY, fill).key).key == KEY


def test_of_two_writers_with_other_bytes_the_first_stands_for_both(url: str, tmp_path: Path):
    stores = [open_store(tmp_path / name, url) for name in "ab"]
    ready = Barrier(2)

    def build(name: str, folder: Path) -> None:
        fill(folder, name)
        ready.wait(20)

    threads = [
        Thread(target=store.ensure, args=("stage", KEY, lambda folder, name=name: build(name, folder)))
        for store, name in zip(stores, "ab", strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    texts = {(store.get("stage", KEY).path / "same.txt").read_text() for store in stores}
    assert len(texts) == 1
    for store in stores:
        store.verify(store.get("stage", KEY))


def test_a_changed_object_is_found_and_never_used(url: str, tmp_path: Path):
    here, there = open_store(tmp_path / "a", url), open_store(tmp_path / "b", url)
    here.ensure("stage", KEY, fill)
    (victim,) = (name for name in objects_of(here).names("stage") if hashlib.sha256(b"deep").hexdigest() in name)
    (tmp_path / "evil").write_text("evil")
    objects_of(here).put(victim, tmp_path / "evil")
    with pytest.raises(StoreError, match="does not match its hash"):
        there.lookup("stage", KEY)
    assert list((tmp_path / "b").rglob("*.txt")) == []


@pytest.mark.parametrize("name", ["../outside.txt", "/outside.txt", "below/../../outside.txt"])
def test_a_manifest_that_leads_outside_is_refused(url: str, tmp_path: Path, name: str):
    there = open_store(tmp_path / "b", url)
    text = json.dumps({"stage": "stage", "key": KEY, "files": {name: {"size": 1, "sha256": "0" * 64}}}).encode()
    assert objects_of(there).put_new(f"stage/{KEY[:2]}/{KEY}/manifest.json", text)
    with pytest.raises(StoreError, match="cannot be used"):
        there.lookup("stage", KEY)


def test_what_is_removed_is_gone_for_all_who_have_not_fetched_it(url: str, tmp_path: Path):
    here, there = open_store(tmp_path / "a", url), open_store(tmp_path / "b", url)
    made = here.ensure("stage", KEY, fill)
    here.ensure("stage", OTHER, fill)
    here.remove(made)
    assert here.lookup("stage", KEY) is None
    assert there.lookup("stage", KEY) is None
    assert there.lookup("stage", OTHER) is not None
    assert [name for name in objects_of(here).names("stage") if KEY in name] == []


def test_what_was_made_before_the_store_was_shared_can_be_published(url: str, tmp_path: Path):
    made = ContentStore(tmp_path / "a").ensure("stage", KEY, fill)
    here, there = open_store(tmp_path / "a", url), open_store(tmp_path / "b", url)
    assert there.lookup("stage", KEY) is None
    here.publish(made)
    here.publish(made)
    assert there.lookup("stage", KEY) is not None
    other = ContentStore(tmp_path / "c").ensure("stage", KEY, lambda folder: fill(folder, "other"))
    with pytest.raises(StoreError, match="other bytes"):
        open_store(tmp_path / "c", url).publish(other)


def test_a_name_is_taken_once(url: str):
    objects = open_objects(url)
    assert objects.put_new("stage/name", b"first")
    assert not objects.put_new("stage/name", b"second")
    assert objects.read("stage/name") == b"first"
    assert objects.read("stage/other") is None


def test_a_bucket_that_is_not_there_is_one_line(endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    for name, value in {**KEYS, "AWS_ENDPOINT_URL": endpoint}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(StoreError, match=r"shared store s3://nobody-has-this.*check TRINORMAL_STORE_URL") as told:
        open_store(tmp_path, "s3://nobody-has-this/store").ensure("stage", KEY, fill)
    assert "\n" not in str(told.value)


def test_an_artefact_that_vanishes_while_it_is_fetched_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    url = str(tmp_path / "shared")
    open_store(tmp_path / "a", url).ensure("stage", KEY, fill)
    there = open_store(tmp_path / "b", url)
    monkeypatch.setattr(shared_store.SharedStore, "fetch", lambda *_: False)
    assert there.lookup("stage", KEY) is None
    assert [path for path in (tmp_path / "b").rglob("*") if path.is_file()] == []


def test_an_artefact_knows_its_place(tmp_path: Path):
    store = SharedStore(open_objects(str(tmp_path)))
    made = ContentStore(tmp_path / "local").ensure("stage", KEY, fill)
    assert store.publish(*made)
    assert store.has("stage", KEY)
    assert list(store.keys("stage")) == [KEY]
    assert isinstance(made, Artefact)
