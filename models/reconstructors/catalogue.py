"""The reconstructors that come with the product, by name."""

from pathlib import Path

from models.reconstructors.expnet_crops import open_expnet
from models.reconstructors.external import open_external
from models.reconstructors.landmarks import open_landmarks
from models.reconstructors.protocol import Reconstructor, reconstructors
from models.reconstructors.rnet_stored import open_rnet
from models.reconstructors.texface_stored import open_texface

reconstructors.add("expnet")(open_expnet)
reconstructors.add("external")(open_external)
reconstructors.add("landmarks")(open_landmarks)
reconstructors.add("rnet")(open_rnet)
reconstructors.add("texface")(open_texface)


def open_reconstructor(name: str, folder: Path | None = None) -> Reconstructor:
    """The reconstructor called `name`, its weights or meshes in `folder`.

    Raises `UnknownPlugin` with the names known, `AssetMissing` with the command that trains it, or
    `ConfigurationError` when it needs a folder of meshes.
    """
    return reconstructors[name](folder)
