"""`trinormal serve-model`: a registered model behind HTTP, checked to the last byte before MLflow loads it."""

import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from flows.servers import HOST, Server, answers, require_free, running
from infra.settings import load_settings
from models.errors import ConfigurationError

console = Console()
LOOK_EVERY_S = 2.0
PATIENCE_S = 30.0


def model_server(package: Path, port: int, logs: Path) -> Server:
    """MLflow's scoring server over a package; it needs MLflow and ONNX Runtime, and none of our code."""
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--model-uri", str(package), "--env-manager", "local"]
    command += ["--host", HOST, "--port", str(port), "--workers", "1"]
    return Server("the model server", command, f"http://{HOST}:{port}/ping", logs / "model-server.log")


def serve_model(model: str, port: int) -> None:
    """Fetch and check a package, serve that very copy, and stay until Ctrl-C; raises `ConfigurationError`."""
    from tasks.packages import export_package

    require_free(port, "--port")
    with tempfile.TemporaryDirectory(prefix="trinormal-model-") as scratch:
        package = export_package(model, Path(scratch) / "package")
        server = model_server(package.folder, port, load_settings().home / "logs")
        told = package.manifest.subject["model"]
        console.print(f"starting {told}, every byte of which is what {package.signer} signed ...", soft_wrap=True)
        with running([server], {}):
            console.print(f"POST http://{HOST}:{port}/invocations   body: request.json of `trinormal encode`")
            console.print("Ctrl-C stops it")
            _stay(server)


def _stay(server: Server) -> None:
    """Until Ctrl-C, or until the server is gone."""
    try:
        while answers(server.health_url, PATIENCE_S):
            time.sleep(LOOK_EVERY_S)
    except KeyboardInterrupt:
        return
    raise ConfigurationError(f"{server.name} stopped by itself; {server.log} says why")
