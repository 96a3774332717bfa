"""Hostile files in the place of a model: refused before anything loads them, at every door; a canary never fires."""

import os
import pickle  # noqa: TID251 - to see that the canary can fire
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from infra.errors import InfrastructureError, PackageBroken
from infra.files import canonical_json
from infra.signed_folder import FORMAT, MANIFEST, SIGNATURE, open_signed, sign_folder
from infra.signing import Keyring
from models.errors import ArtefactError
from models.export.onnx import load_session
from models.training.safetensor_files import load_nested
from registry.errors import RegistryError
from registry.graphs import read_graph
from registry.packages import Extras, Subject, open_package, write_package
from tests.registry.hostile_artefacts import DESCRIPTION, GRAPH, WEIGHTS, Payload, artefacts
from tests.registry.test_packages import graph

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
CANARY = Path(tempfile.gettempdir()) / f"trinormal-canary-{os.getpid()}"
FOUND = {each.what: each for each in artefacts(CANARY)}


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    return Keyring(tmp_path_factory.mktemp("signing"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, keys: Keyring) -> dict[str, bytes]:
    """The files of a good package."""
    parent = tmp_path_factory.mktemp("made")
    save_file({"scale": np.float32([2.0])}, parent / "w")
    subject = Subject("faces", "k")
    write_package(parent / "package", graph(), "# It", subject, {}, Extras({WEIGHTS: parent / "w"}), keys)
    return {path.name: path.read_bytes() for path in (parent / "package").iterdir()}


@pytest.fixture
def package(tmp_path: Path, whole: dict[str, bytes]) -> Path:
    folder = tmp_path / "package"
    folder.mkdir()
    for name, content in whole.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture(autouse=True)
def the_canary_never_fires(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    yield
    assert not CANARY.exists()
    assert not (tmp_path / "canary").exists()


def sign_again(folder: Path, keys: Keyring) -> None:
    for name in (MANIFEST, SIGNATURE):
        (folder / name).unlink()
    sign_folder(folder, {"model": "faces", "key": "k"}, keys)


def test_there_are_many_and_the_canary_can_fire():
    assert len(FOUND) == len(list(artefacts(CANARY))) >= 50
    pickle.loads(pickle.dumps(Payload(CANARY)))  # noqa: S301
    CANARY.unlink()


@pytest.mark.parametrize("what", FOUND)
def test_put_into_a_signed_package_it_is_refused(package: Path, keys: Keyring, what: str):
    found = FOUND[what]
    (package / found.name).write_bytes(found.content)
    with pytest.raises(PackageBroken) as caught:
        open_package(package, keys)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("what", FOUND)
def test_signed_by_somebody_unknown_it_is_refused(package: Path, keys: Keyring, what: str, tmp_path: Path):
    found = FOUND[what]
    (package / found.name).write_bytes(found.content)
    stranger = Keyring(tmp_path / "stranger")
    try:
        sign_again(package, stranger)
    except PackageBroken:
        return  # it may not even be signed
    with pytest.raises(PackageBroken, match="does not trust"):
        open_package(package, keys)


@pytest.mark.parametrize("what", FOUND)
def test_signed_by_a_trusted_key_it_is_refused_for_what_it_is(package: Path, keys: Keyring, what: str):
    found = FOUND[what]
    (package / found.name).write_bytes(found.content)
    with pytest.raises(InfrastructureError) as caught:
        sign_again(package, keys)
        open_package(package, keys)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("what", [what for what, each in FOUND.items() if each.name == GRAPH])
def test_as_a_graph_it_opens_no_session_and_is_not_registered(what: str, tmp_path: Path):
    content = FOUND[what].content
    (tmp_path / GRAPH).write_bytes(content)
    for source in (content, tmp_path / GRAPH):
        with pytest.raises(ArtefactError) as caught:
            load_session(source)
        assert "\n" not in str(caught.value)
    with pytest.raises(RegistryError):
        read_graph(content)


@pytest.mark.parametrize("what", [what for what, each in FOUND.items() if each.name == WEIGHTS])
def test_as_weights_it_fills_no_network(what: str, tmp_path: Path):
    (tmp_path / WEIGHTS).write_bytes(FOUND[what].content)
    with pytest.raises(ArtefactError):
        load_nested(tmp_path / WEIGHTS)


@pytest.mark.parametrize(
    "name", ["../outside.json", "/etc/hostname.json", "a/b.json", "..json", "", "a\nb.json", "x.pkl"]
)
def test_a_signed_manifest_that_names_other_places_is_refused(package: Path, keys: Keyring, name: str):
    (package.parent / "outside.json").write_bytes(b"{}")
    entry = {"sha256": "0" * 64, "size": 2}
    text = canonical_json({"format": FORMAT, "subject": {}, "files": {name: entry}}) + "\n"
    signature = keys.sign(FORMAT.encode() + b"\n" + text.encode())
    (package / MANIFEST).write_text(text)
    (package / SIGNATURE).write_text(canonical_json({"algorithm": "ed25519", **signature._asdict()}) + "\n")
    with pytest.raises(PackageBroken, match="may not be in a package"):
        open_signed(package, keys)


def test_a_file_of_terabytes_is_refused_by_its_size(package: Path, keys: Keyring):
    os.truncate(package / GRAPH, 2**42)  # sparse: takes no room
    with pytest.raises(PackageBroken, match="bytes instead of"):
        open_package(package, keys)


def test_an_endless_file_behind_a_link_is_not_read(package: Path, keys: Keyring):
    (package / GRAPH).unlink()
    (package / GRAPH).symlink_to("/dev/zero")
    with pytest.raises(PackageBroken, match="no plain file"):
        open_package(package, keys)


@pytest.mark.parametrize("name", [GRAPH, DESCRIPTION, WEIGHTS, MANIFEST, SIGNATURE])
def test_a_link_in_the_place_of_a_file_is_refused_though_its_bytes_are_right(package: Path, keys: Keyring, name: str):
    (package / name).rename(package.parent / name)
    (package / name).symlink_to(package.parent / name)
    with pytest.raises(PackageBroken, match="no plain file"):
        open_package(package, keys)
