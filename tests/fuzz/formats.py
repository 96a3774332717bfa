"""One small whole file of every format the readers know, how it is read, and what must hold of what is read."""

import gzip
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import trimesh

from models.errors import DataError
from models.photos.decoding import encode_jpeg, read_photo
from models.protocols.files import parse_protocol, parse_split, protocol_csv, split_csv
from models.protocols.scans import bosphorus_protocol
from models.protocols.splits import Example, Split
from models.readers.abs_grid import write_abs
from models.readers.bnt_grid import write_bnt
from models.readers.bosphorus import index_bosphorus
from models.readers.bu3dfe import format_bnd, read_bnd, stream_bu3dfe
from models.readers.bu4dfe import index_bu4dfe
from models.readers.fei import index_fei, read_genders
from models.readers.folder import index_manifest, index_photos
from models.readers.frgc import index_frgc
from models.readers.frgc_signatures import read_signatures
from models.readers.kdef import index_kdef
from models.readers.listing import read_listing
from models.readers.lm3 import LABELS, read_lm3, write_lm3
from models.readers.meshes_out import write_obj
from models.readers.scans import read_scan
from models.readers.vggface2 import index_vggface2
from models.readers.vrml import write_vrml
from models.types import Photo, RangeImage, Scan

JPEG = b"\xff\xd8\xff\xe0"


class Format(NamedTuple):
    """`original` is written to `name` below a folder that `prepare` filled; `read` takes the file's path.

    `check` raises `AssertionError` on a result that should have been refused. `inner` is damaged in half of the
    trials instead, and then packed by `pack`.
    """

    name: str
    original: bytes
    read: Callable[[Path], Any]
    check: Callable[[Any], None]
    prepare: Callable[[Path], None] = lambda _: None
    inner: bytes | None = None
    pack: Callable[[bytes], bytes] = bytes


def range_image() -> RangeImage:
    x, y = np.meshgrid(np.arange(12) - 5.5, 4.5 - np.arange(10))
    points = np.stack([x * 8, y * 8, 20 * np.exp(-(x**2 + y**2) / 9)], axis=-1).astype(np.float32)
    valid = np.ones(x.shape, bool)
    valid[0], valid[4, 5:7] = False, False
    return RangeImage(points, valid)


def ball() -> Scan:
    mesh = trimesh.creation.icosphere(subdivisions=2, radius=90.0)
    colours = np.random.default_rng(0).integers(0, 256, (len(mesh.vertices), 3)).astype(np.uint8)
    return Scan(np.asarray(mesh.vertices, np.float32), np.asarray(mesh.faces, np.int32), colours)


def exported(kind: str, **options: Any) -> bytes:
    scan = ball()
    mesh = trimesh.Trimesh(scan.vertices, scan.triangles, process=False, vertex_colors=scan.colours)
    data = mesh.export(file_type=kind, **options)
    return data.encode() if isinstance(data, str) else data


def whole_scan(scan: Scan) -> None:
    assert np.isfinite(scan.vertices).all()
    assert 0 <= scan.triangles.min() <= scan.triangles.max() < len(scan.vertices)


def finite_numbers(values: Any) -> None:
    assert np.isfinite(np.asarray(values, dtype=np.float64)).all()


def finite_landmarks(landmarks: dict[str, tuple[float, float, float]]) -> None:
    finite_numbers(list(landmarks.values()))


def whole_photo(photo: Photo) -> None:
    assert photo.pixels.ndim == 3
    assert photo.pixels.dtype == np.uint8


def inside_records(records: Iterable[Any]) -> None:
    for record in records:
        assert record.path.isprintable()
        assert not record.path.startswith("/")
        assert ".." not in record.path.split("/")
        finite_numbers(record.box or () if hasattr(record, "box") else ())


def anything(_: Any) -> None:
    """Whatever was read may be; only how it is refused matters."""


def picture() -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (6, 5, 3), dtype=np.uint8)
    return encode_jpeg(cv2.resize(pixels, (48, 64), interpolation=cv2.INTER_CUBIC), 90)


def folder_of_two(root: Path) -> None:
    for name in ("anna/1.png", "anna/2.png"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).touch()


def vggface2_photos(root: Path) -> None:
    for name in ("n000002/0001_01.jpg", "n000002/0002_01.jpg", "n000007/0001_01.jpg"):
        (root / "train" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "train" / name).touch()


LISTING = "\n".join(
    [
        "bs000/bs000_E_ANGER_0.bnt",
        "bs000/bs000_LFAU_12LW_0.bnt",
        "Fall2003range/02463d546.abs.gz",
        "F0001/F0001_AN01WH_F3D.wrl",
        "F001/Angry/000.wrl",
        "AF01/AF01ANFL.JPG",
        "AF31/AF31V.JPG",
        "AKDEF/FAHR.JPG",
        "1-01.jpg",
        "frontal/7a.jpg",
        "",
    ]
)


def all_names(path: Path) -> list[Any]:
    """The listing as every data set reads it; each may refuse it with its typed error."""
    found: list[Any] = []
    for index in (index_bosphorus, index_frgc, stream_bu3dfe, index_bu4dfe, index_kdef, index_fei, index_photos):
        try:
            found += index(read_listing(path))
        except DataError as error:
            assert "\n" not in str(error)
    return found


def stored_protocol() -> bytes:
    names = [f"bs000/bs000_{kind}_{take}.bnt" for kind in ("N_N", "E_HAPPY", "YR_R10") for take in range(5)]
    return protocol_csv(bosphorus_protocol(index_bosphorus(names)))


FACES = "NAME_ID,X,Y,W,H\n" + "".join(
    f'"{name}",{k},2.5,-3,40\n' for k, name in enumerate(("n000002/0001_01", "n000002/0002_01", "n000007/0001_01"))
)
SIGNATURES = b"""<?xml version="1.0"?><biometric-signature-set><complex-biometric-signature name="nd1S02463">
<presentation name="a" file-name="nd1/Fall2003range/02463d546.abs.gz"/></complex-biometric-signature>
<biometric-signature name="nd1S04201"><presentation name="b" file-name="04201d9.ppm"/></biometric-signature>
</biometric-signature-set>"""
SPLIT = Split("x", tuple(Example(f"a{k}", f"s{k}", "f") for k in range(9)), (Example("b", "t", "m"),))

FORMATS: dict[str, Format] = {
    "FRGC .abs": Format("a.abs", write_abs(range_image()), read_scan, whole_scan),
    "FRGC .abs.gz": Format(
        "a.abs.gz",
        gzip.compress(write_abs(range_image()), mtime=0),
        read_scan,
        whole_scan,
        inner=write_abs(range_image()),
        pack=gzip.compress,
    ),
    "FRGC signature set": Format("set.xml", SIGNATURES, read_signatures, anything),
    "Bosphorus .bnt": Format("a.bnt", write_bnt(range_image(), "bs000_N_N_0.png"), read_scan, whole_scan),
    "Bosphorus .lm3": Format(
        "a.lm3",
        write_lm3({label: (1.5, -2.0, float(k)) for k, label in enumerate(LABELS)}, "bs000_N_N_0"),
        read_lm3,
        finite_landmarks,
    ),
    "BU-3DFE, BU-4DFE .wrl": Format("a.wrl", write_vrml(ball(), "000.jpg"), read_scan, whole_scan),
    "BU-3DFE .bnd": Format(
        "a.bnd",
        format_bnd(ball(), np.arange(83, dtype=np.int64)),
        read_bnd,
        lambda found: [finite_numbers(part) for part in found] and None,
    ),
    "OBJ": Format("a.obj", b"mtllib ../../secret.mtl\n" + write_obj(ball()), read_scan, whole_scan),
    "PLY binary": Format("a.ply", exported("ply"), read_scan, whole_scan),
    "PLY text": Format("a.ply", exported("ply", encoding="ascii"), read_scan, whole_scan),
    "STL binary": Format("a.stl", exported("stl"), read_scan, whole_scan),
    "OFF": Format("a.off", exported("off"), read_scan, whole_scan),
    "KDEF, FEI, VGGFace2 JPEG": Format("a.jpg", picture(), read_photo, whole_photo),
    "VGGFace2 identity_meta.csv": Format(
        "identity_meta.csv",
        b'Class_ID, Name, Sample_Num, Flag, Gender\nn000002, "A_F", 315, 1, f\nn000007, "B, Jr.", 2, 1, m\n',
        lambda path: list(index_vggface2(path.parent, "train")),
        inside_records,
        vggface2_photos,
    ),
    "VGGFace2 loose_bb.csv": Format(
        "bb_landmark/loose_bb_train.csv",
        FACES.encode(),
        lambda path: list(index_vggface2(path.parent.parent, "train")),
        inside_records,
        vggface2_photos,
    ),
    "folder labels.csv": Format(
        "labels.csv",
        b"path,subject,gender,intensity,yaw_deg\nanna/1.png,ann,f,3,-30.5\nanna/2.png,,,,\n",
        lambda path: list(index_photos(path.parent)),
        inside_records,
        folder_of_two,
    ),
    "manifest CSV": Format(
        "faces.csv",
        b'path,subject,gender,expression,intensity\nanna/1.png,ann,f,happy,3\n"b/2, left.bnt",,,,\n',
        lambda path: list(index_manifest(path)),
        inside_records,
    ),
    "FEI genders": Format("genders.csv", b"subject,gender\n1,f\n20,m\n200,f\n", read_genders, anything),
    "names of all data sets": Format("files.txt", LISTING.encode(), all_names, inside_records),
    "protocol CSV": Format(
        "p.csv", stored_protocol(), lambda path: parse_protocol(path.read_bytes(), path.name), anything
    ),
    "split CSV": Format("s.csv", split_csv(SPLIT), lambda path: parse_split(path.read_bytes(), path.name), anything),
}
