"""`trinormal serve-model` and `mlflow models serve`: real servers, asked as anybody would ask them."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from numpy.testing import assert_allclose

from flows.servers import HOST, Server, answers, free_port, running
from infra.profiles import load_profile
from models.export.embedding import embed_normals
from models.export.onnx import OUTPUTS, load_session
from registry.packaging import fetch_graph, find_version
from tasks.request import champion_normals, request_of
from tasks.wiring import Workspace
from tests.flows.trinormal_command import Sandbox, new_sandbox, run, started
from tests.tasks.homes import new_home
from tests.tasks.test_evaluate_scans import crown

pytestmark = [
    pytest.mark.unproven,
    pytest.mark.slow,
    pytest.mark.servers,
    pytest.mark.timeout(900),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]
SIDE = load_profile("tiny").normals.pixels
IMAGES = np.random.default_rng(0).integers(0, 256, (3, 3, SIDE, SIDE), np.uint8)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    return new_sandbox(tmp_path_factory.mktemp("serve-model"))


@pytest.fixture(scope="module")
def home(sandbox: Sandbox) -> Iterator[Workspace]:
    """A home whose champion `faces` is a network that has learnt nothing, which is all that serving needs."""
    with new_home(sandbox.home) as workspace:
        crown(workspace, SIDE)
        yield workspace


@pytest.fixture(scope="module")
def expected(home: Workspace) -> list[np.ndarray]:
    graph = fetch_graph(home.tracker, find_version(home.tracker, "faces", "1"))
    return list(embed_normals(load_session(graph, threads=1), IMAGES))


def rows(found: dict[str, list[list[float]]]) -> list[np.ndarray]:
    return [np.array(found[name]) for name in OUTPUTS]


def ask(port: int, body: object) -> httpx.Response:
    return httpx.post(f"http://{HOST}:{port}/invocations", json=body, timeout=120)


def batch() -> dict[str, dict[str, list[object]]]:
    each = [request_of(image)["inputs"] for image in IMAGES]
    return {"inputs": {name: [row for one in each for row in one[name]] for name in each[0]}}


def test_a_checked_model_answers_with_its_embeddings_and_refuses_what_is_no_image(
    sandbox: Sandbox, home: Workspace, expected: list[np.ndarray]
):
    port = free_port()
    with started(sandbox, "serve-model", "faces", "--port", str(port)) as watched:
        watched.wait_until(lambda: answers(f"http://{HOST}:{port}/ping"))
        found = ask(port, batch())
        assert found.status_code == 200, found.text
        for ours, theirs in zip(rows(found.json()["predictions"]), expected, strict=True):
            assert_allclose(ours, theirs, atol=1e-5)
        assert ask(port, {"inputs": {"nx": [[[[0.0]]]]}}).status_code == 400
        assert watched.end(signal.SIGINT) == 0
        assert [child.cmdline() for child in watched.living_children()] == []
    assert not list(sandbox.temporary.glob("trinormal-model-*"))


def test_mlflow_serves_the_champion_by_its_alias_with_none_of_our_code(
    sandbox: Sandbox, home: Workspace, expected: list[np.ndarray], tmp_path: Path
):
    home.tracker.client.set_registered_model_alias("faces", "champion", "1")
    port = free_port()
    barred = tmp_path / "barred"  # our packages cannot be imported in there
    for room in ("flows", "tasks", "models", "registry", "expectations", "infra"):
        (barred / room).mkdir(parents=True)
        (barred / room / "__init__.py").write_text("raise ImportError('this is ours')\n")
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--model-uri", "models:/faces@champion"]
    command += ["--env-manager", "local", "--host", HOST, "--port", str(port), "--workers", "1"]
    server = Server("MLflow", command, f"http://{HOST}:{port}/ping", tmp_path / "server.log")
    with running([server], {"MLFLOW_TRACKING_URI": home.tracker.tracking_uri, "PYTHONPATH": str(barred)}):
        found = ask(port, batch())
    for ours, theirs in zip(rows(found.json()["predictions"]), expected, strict=True):
        assert_allclose(ours, theirs, atol=1e-5)


def test_curl_sends_what_encode_wrote_of_a_real_scan(
    sandbox: Sandbox, home: Workspace, real_data: Path, tmp_path: Path
):
    scan = next(iter(sorted((real_data / "scans").rglob("james.obj"))), None)
    if scan is None or shutil.which("curl") is None:
        pytest.skip("needs the scan james.obj and curl")
    wrote = run(sandbox, "encode", str(scan), "--out", str(tmp_path), "--model", "faces")
    assert wrote.returncode == 0, wrote.stderr
    port = free_port()
    with started(sandbox, "serve-model", "faces@1", "--port", str(port)) as watched:
        watched.wait_until(lambda: answers(f"http://{HOST}:{port}/ping"))
        url = f"http://{HOST}:{port}/invocations"
        command = ["curl", "--silent", "--fail", "-H", "Content-Type: application/json", "-d"]
        told = subprocess.run([*command, f"@{tmp_path / 'request.json'}", url], capture_output=True, check=True)
    normals = champion_normals(scan, load_profile("tiny").normals)
    graph = fetch_graph(home.tracker, find_version(home.tracker, "faces", "1"))
    straight = embed_normals(load_session(graph, threads=1), normals[None])
    for ours, theirs in zip(rows(json.loads(told.stdout)["predictions"]), straight, strict=True):
        assert_allclose(ours, theirs, atol=1e-5)


def test_a_package_goes_out_is_verified_and_is_refused_once_a_byte_differs(
    sandbox: Sandbox, home: Workspace, tmp_path: Path
):
    out = tmp_path / "package"
    went = run(sandbox, "package", "export", "faces", "--out", str(out))
    assert went.returncode == 0, went.stderr
    assert "this home signed" in run(sandbox, "package", "verify", str(out)).stdout
    graph = out / "model.onnx"
    content = bytearray(graph.read_bytes())
    content[-1] ^= 1
    graph.write_bytes(content)
    refused = run(sandbox, "package", "verify", str(out))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.endswith("model.onnx was changed\n")


def test_another_home_takes_a_package_once_it_trusts_who_signed(sandbox: Sandbox, home: Workspace, tmp_path: Path):
    other, out, key = new_sandbox(tmp_path / "other"), tmp_path / "package", tmp_path / "key.pem"
    for arguments in (("package", "export", "faces", "--out", str(out)), ("package", "key", "--out", str(key))):
        assert run(sandbox, *arguments).returncode == 0
    refused = run(other, "package", "verify", str(out))
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "trinormal package trust" in refused.stderr
    assert run(other, "package", "trust", str(key), "--as", "lab").returncode == 0
    assert "lab signed" in run(other, "package", "verify", str(out)).stdout


def test_a_model_that_was_changed_in_the_registry_is_not_served(sandbox: Sandbox, home: Workspace):
    """Stands last: it spoils the home."""
    (stored,) = (sandbox.home / "mlflow" / "artifacts").rglob("MLmodel")
    stored.write_text(stored.read_text().replace("mlflow.onnx", "mlflow.evil"))
    refused = run(sandbox, "serve-model", "faces", "--port", str(free_port()))
    assert refused.returncode == 2
    assert "do not serve it" in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert list(sandbox.temporary.iterdir()) == []
