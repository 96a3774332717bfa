"""Pictures among the artifacts of a flow run, small enough to be kept in Prefect's database."""

import base64
from pathlib import Path

import cv2
from prefect.artifacts import create_image_artifact

WIDEST = 1000
QUALITY = 80


def show_picture(path: Path, key: str, description: str) -> None:
    """An image artifact of the flow run: as a page of its own would need MLflow's passwords, the picture is inside."""
    create_image_artifact(picture_address(path), key=key, description=description)


def picture_address(path: Path) -> str:
    """The picture, at most a thousand pixels wide, as a `data:` address."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise FileNotFoundError(f"{path}: no picture")
    height, width = picture.shape[:2]
    if width > WIDEST:
        size = (WIDEST, round(height * WIDEST / width))
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    _, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg.tobytes()).decode()}"
