"""Coefficients of any folder of photos, as a table."""

from prefect import flow

from flows.parameters import CoefficientsRequest
from tasks import policies
from tasks.align import align_photos
from tasks.faces import coefficients_of
from tasks.gather import own_photos
from tasks.parquet import Written, write_coefficients
from tasks.stored import stored_variant

POINTS_PX = 112
"""The side of the crops that five points are kept by; every reconstructor cuts its own out of the photo."""


@flow(name="coefficients", **policies.WORK)
def coefficients(request: CoefficientsRequest) -> Written:
    """Reconstruct every photo and write the table; what was done before is not done again."""
    variant = stored_variant(request.reconstructor, request.folder)
    photos = own_photos(request.photos, "unknown")
    crops = align_photos(photos.snapshot, photos.root, POINTS_PX, POINTS_PX)
    faces = coefficients_of(crops, photos.root, POINTS_PX, variant)
    return write_coefficients(faces, request.out.absolute())
