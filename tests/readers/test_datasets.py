"""Every data set is found by its name, indexed and read through one door."""

import numpy as np
import pytest

from models.errors import DataError, UnknownPlugin
from models.readers.bosphorus import write_bosphorus
from models.readers.bu4dfe import write_bu4dfe
from models.readers.datasets import data_sets
from models.readers.fei import write_fei
from models.readers.frgc import write_frgc
from models.readers.kdef import write_kdef
from models.readers.vggface2_writer import write_photo
from models.types import Scan
from tests.readers.range_images import relief

JPEG = b"\xff\xd8\xff\xe0 not decoded here"


def mesh():
    image = relief(holes=False)
    triangles = np.array([[a, a + 32, a + 1] for a in range(700)], np.int32)
    return Scan(image.points.reshape(-1, 3), triangles)


WRITERS = {
    "bosphorus": lambda root: write_bosphorus(root, 0, "N", "N", 0, relief()),
    "frgc": lambda root: write_frgc(root, "Fall2003", "02463", 1, relief(away_mm=1300.0)),
    "bu4dfe": lambda root: write_bu4dfe(root, "F001", "Angry", 0, mesh()),
    "kdef": lambda root: write_kdef(root, "A", "F01", "NE", "S", JPEG),
    "fei": lambda root: write_fei(root, 1, "01", JPEG),
    "vggface2": lambda root: write_photo(root, "test", 1, 1, 1, JPEG),
}


@pytest.mark.parametrize("name", WRITERS)
def test_one_file_written_is_one_record_indexed_and_read(name, tmp_path):
    path = WRITERS[name](tmp_path)
    data_set = data_sets[name]
    (record,) = data_set.index(tmp_path)
    assert record.path == path
    assert record.subject is not None
    if data_set.read is not None:
        assert len(data_set.read(tmp_path / path).triangles) > 100
    assert (data_set.kind == "photo") == (data_set.read is None)


@pytest.mark.parametrize("name", list(data_sets))
def test_an_empty_folder_is_refused_by_all(name, tmp_path):
    with pytest.raises(DataError, match=str(tmp_path)):
        data_sets[name].index(tmp_path)


def test_an_unknown_name_is_told_the_known_ones():
    with pytest.raises(UnknownPlugin, match="bosphorus, bu3dfe, bu4dfe, fei, frgc, kdef"):
        data_sets["lock3dface"]
