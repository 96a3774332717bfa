"""Lightning's checkpoints as safetensors files: whole or absent, hashed, without pickle."""

from pathlib import Path
from typing import Any

from lightning.fabric.plugins import CheckpointIO

from models.training.safetensor_files import load_nested, save_nested

CHECKPOINT_NAME = "last.safetensors"


class SafetensorsCheckpointIO(CheckpointIO):
    """Stores Lightning's whole state (weights, optimiser, schedule, loops, callbacks) with `save_nested`."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:  # noqa: ARG002
        """Replace the file at `path`; raises `OSError` when the disk refuses, and the old file stays."""
        save_nested(Path(path), checkpoint)

    def load_checkpoint(
        self,
        path: str | Path,
        map_location: Any = None,  # noqa: ARG002 - tensors come on the CPU, and Lightning copies them into place
        weights_only: bool | None = None,  # noqa: ARG002 - nothing in the file can run code
    ) -> dict[str, Any]:
        """Read and check the file; raises `ArtefactError` when it is damaged."""
        return load_nested(Path(path))

    def remove_checkpoint(self, path: str | Path) -> None:
        """Remove the file."""
        Path(path).unlink(missing_ok=True)
