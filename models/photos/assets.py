"""The two public networks that find faces and their landmarks, pinned by hash."""

from pathlib import Path

from infra.assets import Asset, locate_assets
from models.errors import AssetMissing


def _from_mediapipe(name: str, member: str, sha256: str) -> Asset:
    return Asset(
        name=name,
        package="mediapipe",
        version="0.10.14",
        member=member,
        sha256=sha256,
        licence="Apache-2.0",
        platform="manylinux_2_17_x86_64",
        python="3.11",
    )


DETECTOR = _from_mediapipe(
    "face_detection_short_range.tflite",
    "mediapipe/modules/face_detection/face_detection_short_range.tflite",
    "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
)
LANDMARKS = _from_mediapipe(
    "face_landmark.tflite",
    "mediapipe/modules/face_landmark/face_landmark.tflite",
    "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
)
FACE_NETS = (DETECTOR, LANDMARKS)


def require_face_nets(folder: Path) -> dict[str, Path]:
    """Paths of both networks in `folder`, by asset name; raises `AssetMissing` when one is absent or damaged."""
    located = locate_assets(FACE_NETS, folder)
    if located.missing:
        names = " and ".join(asset.name for asset in located.missing)
        raise AssetMissing(f"{folder}: {names} absent or damaged; fetch the face networks with `trinormal setup`")
    return located.present
