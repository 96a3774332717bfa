"""What a machine needs once: the two small face networks for real photos."""

from pathlib import Path

from infra.assets import fetch_assets
from models.photos.assets import FACE_NETS
from tasks.wiring import open_workspace


def fetch_face_nets() -> dict[str, Path]:
    """Detector and landmark network in the home folder's assets; fetched if missing, hash-checked always."""
    return fetch_assets(FACE_NETS, open_workspace().settings.assets)
