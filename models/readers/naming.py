"""Whose file it is by its own name, in the data sets whose names say so; independent of any list or label."""

import re
from collections.abc import Callable, Mapping, Sequence

from models.errors import DataError
from models.readers.bosphorus import describe_bosphorus
from models.readers.bu3dfe import describe_bu3dfe
from models.readers.bu4dfe import describe_bu4dfe
from models.readers.fei import describe_fei
from models.readers.frgc import describe_frgc
from models.readers.kdef import describe_kdef
from models.readers.records import PhotoRecord, ScanRecord

Describe = Callable[[str], PhotoRecord | ScanRecord | None]

_VGGFACE2 = re.compile(r"(?:.*/)?(n\d{6})/\d{4,}_\d\d\.jpg", re.DOTALL)


def _describe_vggface2(path: str) -> PhotoRecord | None:
    found = _VGGFACE2.fullmatch(path)
    return PhotoRecord(path, found[1]) if found else None


def _by_file_alone(describe: Describe) -> Describe:
    """Names that carry the subject say whose file it is in whichever folder it lies."""
    return lambda path: describe(path.rpartition("/")[2])


def _describe_bu3dfe_file(name: str) -> ScanRecord | None:
    return describe_bu3dfe(f"{name.partition('_')[0]}/{name}")


NAMINGS: Mapping[str, Describe] = {
    "bosphorus": _by_file_alone(describe_bosphorus),
    "bu3dfe": _by_file_alone(_describe_bu3dfe_file),
    "bu4dfe": describe_bu4dfe,
    "fei": _by_file_alone(describe_fei),
    "frgc": describe_frgc,
    "kdef": _by_file_alone(describe_kdef),
    "vggface2": _describe_vggface2,
}
"""By the data set's name in `datasets.data_sets`. VGGFace2 and BU-4DFE name a person by the folder alone."""
TELLING = ("bosphorus", "bu3dfe", "frgc", "kdef", "vggface2")
"""Names that nobody gives to other files by chance: FEI's `1-01.jpg` and BU-4DFE's `000.wrl` may be anybody's."""


SHARE_NAMED = 0.95
"""Of a data set's files; some other file may lie among them."""


def named_subject(data_set: str, path: str) -> str | None:
    """The subject that a path names, as the data set's reader calls it; None where it names nobody."""
    try:
        record = NAMINGS[data_set](path)
    except DataError:
        return None
    return None if record is None else record.subject


def recognised_naming(paths: Sequence[str]) -> str | None:
    """The data set that nearly all paths are named like, if any: what a plain folder reader does not know."""
    for data_set in TELLING:
        named = sum(named_subject(data_set, path) is not None for path in paths)
        if paths and named >= SHARE_NAMED * len(paths):
            return data_set
    return None
