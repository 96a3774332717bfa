"""Export and 8 bits as the flow has them: real stages on a home of their own, with networks as drawn."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from models.export.embedding import embed_normals
from models.export.onnx import load_session
from models.metrics.protocol import Member, Protocol
from models.networks.expnet import CoefficientLayout, build_expnet
from models.networks.sphere20 import Sphere20
from models.reconstructors.stored import save_expnet
from models.training.safetensor_files import save_weights
from tasks import quantise, release
from tasks.align import Crops
from tasks.files import read_json, save_array, write_json
from tasks.normals import NormalShards, some_images
from tasks.quantise import quantise_branches
from tasks.recogniser import Network
from tasks.release import Exported, export
from tasks.stages import make
from tasks.variants import Variant
from tasks.wiring import Workspace
from tests.export.test_quantisation import smooth_images
from tests.tasks.homes import new_home

CODE = ["tasks.files"]
SIZE = (32, 24)
SCANS = [f"{who}/{take}" for who in range(6) for take in range(4)]
PROTOCOL = Protocol(
    "few",
    tuple(Member(each, each[0]) for each in SCANS if each.endswith("0")),
    tuple(Member(each, each[0]) for each in SCANS if not each.endswith("0")),
)


def network(workspace: Workspace, seed: int) -> Network:
    def build(folder: Path, _: Path) -> None:
        torch.manual_seed(seed)
        net = Sphere20(1, 0.125, SIZE, 32, batch_norm=True)
        net(torch.randn(32, 1, *SIZE))
        save_weights(folder / "weights.safetensors", net)
        write_json(folder / "shape.json", vars(net.shape))

    return Network(make(workspace, "sphere20", [], {"seed": seed}, CODE, build))


def saver(images: np.ndarray) -> Callable[[Path, Path], None]:
    return lambda folder, _: save_array(folder / "normals.npy", images)


def shards(workspace: Workspace, stage: str, counts: list[int], sources: list[str]) -> NormalShards:
    images = np.split(smooth_images(sum(counts)), np.cumsum(counts)[:-1])
    made = [make(workspace, stage, [], {"part": part}, CODE, saver(some)) for part, some in enumerate(images)]
    return NormalShards(made, sources, [], [])


def drawn_expnet(workspace: Workspace) -> Variant:
    def build(folder: Path, _: Path) -> None:
        torch.manual_seed(0)
        save_expnet(folder, build_expnet(18, 0.125, CoefficientLayout().size), 18, 0.125, 64)

    return Variant("expnet", make(workspace, "expnet", [], {}, CODE, build))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Exported, NormalShards]]:
    with new_home(tmp_path_factory.mktemp("export") / "home") as workspace, pytest.MonkeyPatch.context() as patch:
        for module in (quantise, release):
            patch.setattr(module, "open_workspace", lambda: workspace)
        x, y, z = (network(workspace, seed) for seed in range(3))
        normals = shards(workspace, "photo-normals", [20, 3, 17], [])
        scans = shards(workspace, "scan-normals", [len(SCANS)], SCANS)
        exported = export.fn((x, y, z), normals, Crops([]), drawn_expnet(workspace))
        yield quantise_branches.fn(exported, normals, scans, PROTOCOL), scans


def test_what_goes_beside_the_graph_is_complete(made: tuple[Exported, NormalShards]):
    exported, _ = made
    always = {"weights.safetensors", "parity.json", "quantisation.json"}
    always |= {"reconstructor.onnx", "reconstructor.safetensors", "reconstructor_parity.json"}
    assert always <= set(exported.beside) <= {*always, "model.int8.onnx"}
    assert all(path.stat().st_size > 0 for path in exported.beside.values())


def test_the_worst_difference_is_what_the_gate_sees(made: tuple[Exported, NormalShards]):
    exported, _ = made
    told = read_json(exported.beside["parity.json"])
    assert set(told) == {f"{kind}_{count}" for kind in ("random", "real") for count in (1, 5, 16)}
    assert exported.parity_max_abs == max(told.values()) < 1e-4
    assert {f"parity.{name}": gap for name, gap in told.items()}.items() <= exported.figures.items()


def rank1(graph: bytes, scans: NormalShards) -> float:
    """Nearest neighbour by the mean of three distances, the slow way."""
    features = np.stack(embed_normals(load_session(graph, threads=1), np.load(scans.paths[0])))
    place = {name: number for number, name in enumerate(scans.sources)}
    hits = []
    for probe in PROTOCOL.probes:
        gaps = [
            np.mean(np.linalg.norm(features[:, place[probe.id]] - features[:, place[each.id]], axis=1))
            for each in PROTOCOL.gallery
        ]
        hits.append(PROTOCOL.gallery[int(np.argmin(gaps))].subject == probe.subject)
    return float(np.mean(hits))


def test_rank_1_of_both_is_measured_and_decides(made: tuple[Exported, NormalShards]):
    exported, scans = made
    found = read_json(exported.beside["quantisation.json"])
    assert found["rank1"]["fp32"] == pytest.approx(rank1((exported.artefact.path / "model.onnx").read_bytes(), scans))
    assert found["accepted"] == (found["rank1"]["fp32"] - found["rank1"]["int8"] <= 0.001)
    assert ("model.int8.onnx" in exported.beside) == found["accepted"]
    assert exported.figures["int8.size_ratio"] < 0.5
    assert exported.figures["int8.speed_ratio"] > 0


def test_some_images_come_from_all_shards(made: tuple[Exported, NormalShards]):
    _, scans = made
    assert len(some_images(scans, 5)) == 5
    assert len(some_images(scans, 500)) == len(SCANS)
