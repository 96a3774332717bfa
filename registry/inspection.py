"""What a package may hold: weights and graphs that are nothing else, and a description that loads no code."""

from pathlib import Path
from typing import Any

import yaml
from safetensors import SafetensorError, deserialize

from infra.signed_folder import SignedFolder
from registry.errors import RegistryError
from registry.graphs import read_graph

DESCRIPTION = "MLmodel"
FLAVOURS = {"onnx", "python_function"}
LOADER = "mlflow.onnx"


def require_harmless(signed: SignedFolder) -> None:
    """Raise `RegistryError` where a signed folder holds what should never have been signed: see each check."""
    for name in signed.manifest.files:
        match Path(name).suffix:
            case ".onnx":
                read_graph(signed.read(name))
            case ".safetensors":
                _require_weights(signed, name)
            case _ if name == DESCRIPTION:
                _require_no_code(signed)
            case _:
                continue


def _require_weights(signed: SignedFolder, name: str) -> None:
    """Header and tensors agree, and nothing lies between or behind the tensors."""
    try:
        deserialize(signed.read(name))
    except SafetensorError as error:
        raise RegistryError(f"{signed.folder}: {name} holds no safetensors ({error}): save the weights again") from None


def _require_no_code(signed: SignedFolder) -> None:
    """MLflow loads it by its own ONNX loader, and imports nothing that comes along."""
    try:
        flavours: dict[str, dict[str, Any]] = yaml.safe_load(signed.read(DESCRIPTION))["flavors"]
        python = flavours["python_function"]
        harmless = set(flavours) == FLAVOURS and python["loader_module"] == LOADER
        code = [flavour.get("code") for flavour in flavours.values()]
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise RegistryError(f"{signed.folder}: {DESCRIPTION} is not MLflow's ({type(error).__name__})") from None
    if not harmless or any(code):
        raise RegistryError(f"{signed.folder}: {DESCRIPTION} would load code of its own: do not use it")
