"""The two public face networks, fetched once."""

import os
from pathlib import Path

import pytest

from infra.assets import AssetFetchError, fetch_assets
from models.photos.analysis import FaceNets, load_face_nets
from models.photos.assets import FACE_NETS


@pytest.fixture(scope="session")
def face_nets(request: pytest.FixtureRequest) -> FaceNets:
    """Both networks, out of $TRINORMAL_HOME/assets or pytest's own cache; skips where pip cannot fetch them."""
    home = os.environ.get("TRINORMAL_HOME")
    folder = Path(home) / "assets" if home else Path(request.config.cache.mkdir("face-nets"))
    try:
        fetch_assets(FACE_NETS, folder)
    except AssetFetchError as error:
        pytest.skip(f"no face networks: {error}")
    return load_face_nets(folder)
