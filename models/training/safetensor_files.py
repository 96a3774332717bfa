"""Nested training states in one safetensors file: tensors as tensors, everything else as JSON in its metadata.

Nothing in such a file can run code. A hash over all of it is kept inside and checked on reading.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from infra.files import atomic_write_bytes
from models.errors import ArtefactError

FORMAT = "trinormal-1"
Plain = str | int | float | bool | None


def save_nested(path: Path, value: object) -> None:
    """Write dicts, lists, tuples, tensors and plain values, whole or not at all.

    Raises `ArtefactError` on a value of any other type, and `OSError` when the disk refuses (the old file stays).
    """
    tensors: dict[str, Tensor] = {}
    tree = json.dumps(_flatten(value, tensors))
    metadata = {"format": FORMAT, "tree": tree, "sha256": _digest(tree, tensors)}
    atomic_write_bytes(path, _in_order(save(tensors, metadata)))


def load_nested(path: Path) -> Any:
    """What `save_nested` wrote, tensors on the CPU; raises `ArtefactError` when absent, damaged or another format."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no dict
    except (OSError, SafetensorError) as error:
        raise ArtefactError(f"{path}: cannot be read ({error}): delete it and train again") from error
    if metadata.get("format") != FORMAT:
        raise ArtefactError(f"{path}: not a {FORMAT} file: use one that this program wrote")
    if metadata.get("sha256") != _digest(metadata.get("tree", ""), tensors):
        raise ArtefactError(f"{path}: its content does not match its hash: delete it and train again")
    return _rebuild(json.loads(metadata["tree"]), tensors)


def save_weights(path: Path, module: nn.Module, notes: Mapping[str, str] | None = None) -> None:
    """Write the parameters and buffers of `module`, with `notes` (architecture, training set, ...) beside them."""
    save_nested(path, {"notes": dict(notes or {}), "weights": module.state_dict()})


def load_weights(path: Path, module: nn.Module) -> dict[str, str]:
    """Fill `module` with the weights at `path` and return the notes; raises `ArtefactError` when they do not fit it."""
    content = load_nested(path)
    try:
        module.load_state_dict(content["weights"])
    except (KeyError, TypeError, RuntimeError) as error:
        first_line = str(error).splitlines()[0]
        raise ArtefactError(
            f"{path}: weights of another network ({first_line}): choose the matching profile"
        ) from error
    return content["notes"]


def _in_order(data: bytes) -> bytes:
    """The same file with its metadata sorted: the library writes it in an order that changes from run to run."""
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)  # tensors stay aligned; their offsets count from the header's end
    return b"".join([len(text).to_bytes(8, "little"), text, memoryview(data)[8 + length :]])


def tensors_digest(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over names, types, shapes and values."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name}|{tensor.dtype}|{tuple(tensor.shape)}|".encode())
        flat = tensor.detach().cpu().contiguous().reshape(-1)
        digest.update(flat.view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _digest(tree: str, tensors: Mapping[str, Tensor]) -> str:
    return hashlib.sha256((tree + tensors_digest(tensors)).encode()).hexdigest()


def _flatten(value: object, tensors: dict[str, Tensor]) -> object:
    """JSON for `value`: containers and tensor references as one-key objects, plain values as themselves."""
    match value:
        case Tensor():
            name = f"t{len(tensors)}"
            # Copied: safetensors refuses tensors that share memory or are not laid out row by row.
            tensors[name] = value.detach().cpu().clone(memory_format=torch.contiguous_format)
            return {"tensor": name}
        case Mapping():
            # Pairs, since optimiser states have integer keys.
            return {"dict": [[_flatten(key, tensors), _flatten(item, tensors)] for key, item in value.items()]}
        case list():
            return {"list": [_flatten(item, tensors) for item in value]}
        case tuple():
            return {"tuple": [_flatten(item, tensors) for item in value]}
        case str() | int() | float() | bool() | None:
            return value
        case _:
            raise ArtefactError(f"a {type(value).__name__} cannot be stored in a checkpoint: keep plain values only")


def _rebuild(node: Any, tensors: Mapping[str, Tensor]) -> Any:
    if not isinstance(node, dict):
        return node
    ((kind, content),) = node.items()
    match kind:
        case "tensor":
            return tensors[content]
        case "dict":
            return {_rebuild(key, tensors): _rebuild(item, tensors) for key, item in content}
        case "list":
            return [_rebuild(item, tensors) for item in content]
        case _:
            return tuple(_rebuild(item, tensors) for item in content)
