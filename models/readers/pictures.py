"""What a photo must show before anybody looks for a face in it."""

from models.errors import PhotoError
from models.types import Photo

DARKEST_MEAN = 3.0
"""Of 255; KDEF's black photos lie at 0.6, a dark room with a face in it well above."""


def require_not_black(photo: Photo) -> Photo:
    """The same photo; raises `PhotoError` when it is black all over, as some published ones are."""
    mean = float(photo.pixels.mean()) if photo.pixels.size else 0.0
    if mean < DARKEST_MEAN:
        raise PhotoError(f"{photo.path}: the photo is black (mean {mean:.1f} of 255): leave it out")
    return photo
