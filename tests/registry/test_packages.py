"""Packages of registered models: what they hold, what their bills of materials say, and what is refused."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from mlflow.artifacts import download_artifacts
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file

from infra.errors import PackageBroken
from infra.files import sha256_file
from infra.signed_folder import MANIFEST, SIGNATURE, SignedFolder, sign_folder
from infra.signing import Keyring
from registry.bom import Provenance
from registry.errors import RegistryError
from registry.packages import BOM, CARD, GRAPH, Extras, Subject, open_package, write_package
from registry.packaging import ModelVersion, fetch_graph, fetch_package, register
from registry.stage_graph import Stage, StageGraph
from registry.tracking import Tracker

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
LINEAGE = StageGraph((Stage("onnx", "artefact", 1, 0), Stage("snapshot", "snapshot", 2, 1)), (("snapshot", "onnx"),))
PROVENANCE = Provenance(
    "recognition",
    {"face model": "CC0-1.0", "own photos (1234)": "company licence"},
    LINEAGE,
    ("simulated people only",),
)


def graph(scale: float = 2.0) -> bytes:
    """y = scale * x, the batch left free."""
    weight = numpy_helper.from_array(np.float32([scale]), "scale")
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 4]) for name in ("x", "y")]
    body = helper.make_graph([helper.make_node("Mul", ["x", "scale"], ["y"])], "tiny", ends[:1], ends[1:], [weight])
    opset = [helper.make_opsetid("", 18)]
    return helper.make_model(body, opset_imports=opset, ir_version=10).SerializeToString()


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    return Keyring(tmp_path_factory.mktemp("signing"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, keys: Keyring) -> Path:
    parent = tmp_path_factory.mktemp("made")
    save_file({"scale": np.float32([2.0])}, parent / "w")
    extras = Extras({"weights.safetensors": parent / "w"}, PROVENANCE)
    tags = {"rank1": "0.95", "trinormal.protocol": "p"}
    write_package(parent / "package", graph(), "# It", Subject("faces", "k"), tags, extras, keys)
    return parent / "package"


@pytest.fixture
def package(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "package"))


def test_a_package_holds_graph_weights_card_and_all_that_mlflow_needs(package: Path, keys: Keyring):
    found = open_package(package, keys)
    assert {GRAPH, CARD, BOM, "MLmodel", "requirements.txt", "weights.safetensors"} <= set(found.manifest.files)
    assert found.read(GRAPH) == graph()
    assert found.manifest.subject == {"model": "faces", "key": "k"}


def test_the_bill_of_materials_is_strictly_cyclonedx(package: Path):
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str((package / BOM).read_text()) is None


def test_the_bill_of_materials_names_files_data_licences_lineage_and_libraries(package: Path):
    bom = json.loads((package / BOM).read_text())
    parts = {each["bom-ref"]: each for each in bom["components"]}
    for name in (GRAPH, CARD, "MLmodel", "weights.safetensors"):
        assert parts[f"file:{name}"]["hashes"] == [{"alg": "SHA-256", "content": sha256_file(package / name)}]
    assert parts["data:0"]["licenses"] == [{"license": {"id": "CC0-1.0"}}]
    assert parts["data:1"]["licenses"] == [{"license": {"name": "company licence"}}]
    assert any(ref.startswith("pkg:pypi/onnxruntime@") for ref in parts)
    edges = {each["ref"]: set(each["dependsOn"]) for each in bom["dependencies"]}
    assert edges["stage:onnx"] == {"stage:snapshot"}
    assert {"stage:onnx", "data:0", f"file:{GRAPH}"} <= edges["model"]
    card = bom["metadata"]["component"]["modelCard"]
    assert card["modelParameters"]["inputs"] == [{"format": "x: float (batch, 4)"}]
    assert card["quantitativeAnalysis"]["performanceMetrics"] == [{"type": "rank1", "value": "0.95"}]
    assert card["considerations"]["technicalLimitations"] == ["simulated people only"]


def test_equal_models_give_equal_bills_of_materials(made: Path, tmp_path: Path, keys: Keyring):
    extras = Extras({"weights.safetensors": made / "weights.safetensors"}, PROVENANCE)
    tags = {"trinormal.protocol": "p", "rank1": "0.95"}
    write_package(tmp_path / "again", graph(), "# It", Subject("faces", "k"), tags, extras, keys)
    parts = {
        folder: [each for each in json.loads((folder / BOM).read_text())["components"] if each["name"] != "MLmodel"]
        for folder in (made, tmp_path / "again")
    }
    assert parts[made] == parts[tmp_path / "again"]


def signed_again(package: Path, keys: Keyring) -> None:
    """As somebody would who has the key."""
    for name in (MANIFEST, SIGNATURE):
        (package / name).unlink()
    sign_folder(package, {"model": "faces", "key": "k"}, keys)


def with_code(package: Path) -> None:
    told = yaml.safe_load((package / "MLmodel").read_text())
    told["flavors"]["python_function"] |= {"loader_module": "evil", "code": "code"}
    (package / "MLmodel").write_text(yaml.safe_dump(told))


def with_another_flavour(package: Path) -> None:
    told = yaml.safe_load((package / "MLmodel").read_text())
    told["flavors"]["sklearn"] = {"pickled_model": "model.json"}
    (package / "MLmodel").write_text(yaml.safe_dump(told))


def with_yaml_object(package: Path) -> None:
    (package / "MLmodel").write_text("!!python/object/apply:os.system ['touch canary']")


def with_pickled_graph(package: Path) -> None:
    (package / GRAPH).write_bytes(b"\x80\x04cposix\nsystem\n")


def with_pickled_weights(package: Path) -> None:
    (package / "weights.safetensors").write_bytes(b"\x80\x04cposix\nsystem\n")


def with_lying_weights(package: Path) -> None:
    header = json.dumps({"w": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 1 << 42]}}).encode()
    (package / "weights.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(64))


@pytest.mark.parametrize(
    "spoil",
    [
        with_code,
        with_another_flavour,
        with_yaml_object,
        with_pickled_graph,
        with_pickled_weights,
        with_lying_weights,
    ],
)
def test_what_should_never_have_been_signed_is_refused_all_the_same(
    package: Path, keys: Keyring, spoil: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(package.parent)
    spoil(package)
    with pytest.raises(PackageBroken):
        open_package(package, keys)
    signed_again(package, keys)
    with pytest.raises(RegistryError) as caught:
        open_package(package, keys)
    assert "\n" not in str(caught.value)
    assert not (package.parent / "canary").exists()


def version_of(tracker: Tracker, scale: float) -> ModelVersion:
    run = tracker.run("faces", "train", f"run-{scale}")
    return register(tracker, run, "faces", graph(scale), f"key-{scale}", tags={}, card="# It")


def stored(tracker: Tracker, version: ModelVersion) -> Path:
    return Path(tracker.client.get_model_version(version.model, version.version).source.removeprefix("file://"))


def test_a_version_comes_back_as_the_package_it_went_in(tracker: Tracker, tmp_path: Path):
    version = version_of(tracker, 2.0)
    found = fetch_package(tracker, version, tmp_path / "copy")
    assert isinstance(found, SignedFolder)
    assert found.read(GRAPH) == graph(2.0) == fetch_graph(tracker, version)
    assert found.read(CARD) == b"# It"


@pytest.mark.parametrize("name", [GRAPH, "MLmodel", CARD, BOM, MANIFEST, SIGNATURE])
def test_a_file_changed_in_the_registry_is_noticed(tracker: Tracker, name: str):
    version = version_of(tracker, 2.0)
    path = stored(tracker, version) / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(RegistryError, match="do not serve"):
        fetch_graph(tracker, version)


def test_what_mlflow_notes_in_the_folder_of_a_version_it_serves_does_no_harm(
    tracker: Tracker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"):
        monkeypatch.setenv(name, tracker.tracking_uri)
    version = version_of(tracker, 2.0)
    note = stored(tracker, version) / "registered_model_meta"
    download_artifacts(f"models:/{version.model}/{version.version}")  # as `mlflow models serve` does
    assert note.is_file(), "MLflow writes into the registry's own folder"
    found = fetch_package(tracker, version, tmp_path / "copy")
    assert note.name not in {path.name for path in found.folder.iterdir()}
    note.write_bytes(b"x" * 5000)
    with pytest.raises(RegistryError, match="does not belong to it"):
        fetch_graph(tracker, version)


@pytest.mark.parametrize("name", ["model.pkl", "more.json"])
def test_a_file_added_in_the_registry_is_noticed(tracker: Tracker, name: str):
    version = version_of(tracker, 2.0)
    (stored(tracker, version) / name).write_bytes(b"{}")
    with pytest.raises(RegistryError, match="does not belong to it"):
        fetch_graph(tracker, version)


def test_the_package_of_another_version_is_not_taken_for_this_one(tracker: Tracker):
    first, second = version_of(tracker, 2.0), version_of(tracker, 3.0)
    shutil.rmtree(stored(tracker, first))
    shutil.copytree(stored(tracker, second), stored(tracker, first))
    with pytest.raises(RegistryError, match="that of another"):
        fetch_graph(tracker, first)


def test_a_version_from_before_packages_is_not_served(tracker: Tracker):
    version = version_of(tracker, 2.0)
    (stored(tracker, version) / SIGNATURE).unlink()
    with pytest.raises(RegistryError, match="train it again"):
        fetch_graph(tracker, version)


def test_a_package_of_somebody_else_is_served_only_once_their_key_is_trusted(tracker: Tracker, tmp_path: Path):
    version = version_of(tracker, 2.0)
    other = Tracker(tracker.tracking_uri, tmp_path / "elsewhere" / "artifacts")
    with pytest.raises(RegistryError, match="does not trust"):
        fetch_graph(other, version)
    other.keys.trust("lab", tracker.keys.public_pem())
    assert fetch_graph(other, version) == graph(2.0)
