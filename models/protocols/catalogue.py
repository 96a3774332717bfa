"""The protocols and splits that the papers run on each data set, by the data set's name."""

from collections.abc import Callable, Iterable, Mapping

from models.metrics.protocol import Protocol
from models.protocols.indexed import IndexedPhoto, IndexedScan
from models.protocols.photos import (
    fei_gender_split,
    kdef_expression_split_by_image,
    kdef_expression_split_by_subject,
    kdef_individual_split,
)
from models.protocols.scans import bosphorus_protocol, bu3dfe_protocol, bu4dfe_protocol, frgc_protocol
from models.protocols.splits import Split

SCAN_PROTOCOLS: Mapping[str, Callable[[Iterable[IndexedScan]], Protocol]] = {
    "bosphorus": bosphorus_protocol,
    "bu3dfe": bu3dfe_protocol,
    "bu4dfe": bu4dfe_protocol,
    "frgc": frgc_protocol,
}
"""Paper A, section 3.1."""

PHOTO_SPLITS: Mapping[str, tuple[Callable[[Iterable[IndexedPhoto]], Split], ...]] = {
    "fei": (fei_gender_split,),
    "kdef": (kdef_individual_split, kdef_expression_split_by_image, kdef_expression_split_by_subject),
}
"""Paper B, section 4, each with its own seed."""
