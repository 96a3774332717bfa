"""Any photos to answers: reconstructed by the version that the champion was trained with, then classified."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from infra.store import Artefact
from models.classifiers.serving import Told, classify_sets
from models.classifiers.source import Source
from models.classifiers.stored import ClassifierShape
from models.classifiers.table import CoefficientTable
from models.errors import AssetMissing, DataError, PhotoError
from models.export.classifier import INPUT, read_shape
from models.export.onnx import load_session
from models.photos.analysis import analyse, load_face_nets
from models.photos.decoding import read_photo
from models.readers.folder import PHOTO_SUFFIXES, index_photos
from models.reconstructors.catalogue import open_reconstructor
from models.reconstructors.protocol import FacePhoto, Reconstruction, from_analysis
from models.reconstructors.rnet_stored import load_cnet, load_rnet
from models.training.device import pick_device
from models.types import Failure
from registry.ledger import champion
from registry.packaging import fetch_graph, find_version
from tasks.build_faces import PARTS, as_columns
from tasks.variants import Variant
from tasks.wiring import Workspace, open_workspace


class Answers(NamedTuple):
    """What was told of each input, photos without an answer, and by which version."""

    answers: list[Told]
    failures: list[Failure]
    model: str
    version: str


class _Chosen(NamedTuple):
    version: str
    graph: bytes
    shape: ClassifierShape


def classify_photos(sources: Sequence[Path], task: str, person: bool, model: str, version: str = "") -> Answers:
    """What a `version` of `model` (the champion if none is named) says of each photo at `sources` (files or folders),
    or of all of them as one person.

    Raises `AssetMissing` without a champion, and where its reconstructor is not in this home folder; `DataError`
    without photos; `TrackingError` when there is no such version.
    """
    workspace = open_workspace()
    photos = list(_photos(sources))
    if not photos:
        raise DataError("no photos were given: name files, or folders that hold some")
    version = version or _champion(workspace, model)
    failures: list[Failure] = []
    faces = _analysed(workspace, photos, failures)
    told = classify_faces(workspace, faces, task, person, model, version)
    return told._replace(failures=[*failures, *told.failures])


def classify_faces(
    workspace: Workspace, faces: Iterable[FacePhoto], task: str, person: bool, model: str, version: str = ""
) -> Answers:
    """The same for photos in which a face has been found."""
    found = _chosen(workspace, model, version or _champion(workspace, model))
    table, failures = _coefficients(workspace, faces, found.shape)
    if not table.paths:
        return Answers([], failures, model, found.version)
    sets = [table.paths] if person else [(path,) for path in table.paths]
    session = load_session(found.graph)

    def graph(values: Float32[ndarray, "m k"], wanted: str) -> Float32[ndarray, "m c"]:
        return np.asarray(session.run([wanted], {INPUT: values})[0])

    return Answers(classify_sets(graph, found.shape, table, sets, task), failures, model, found.version)


def _champion(workspace: Workspace, model: str) -> str:
    """The version that the ledger says serves."""
    version = champion(workspace.engine, model).version
    if version is None:
        raise AssetMissing(
            f"model {model!r} has no champion here; train one with `trinormal train-classifiers` or give --version"
            f" of one that its gate refused (`trinormal history {model}`)"
        )
    return version


def _chosen(workspace: Workspace, model: str, version: str) -> _Chosen:
    """That version, its bytes checked."""
    found = find_version(workspace.tracker, model, version)
    graph = fetch_graph(workspace.tracker, found)
    notes = load_session(graph).get_modelmeta().custom_metadata_map
    return _Chosen(found.version, graph, read_shape(notes, f"{model} version {found.version}"))


def _photos(sources: Sequence[Path]) -> Iterator[Path]:
    for source in sources:
        if source.is_dir():
            yield from (source / record.path for record in index_photos(source))
        elif source.suffix.lower() not in PHOTO_SUFFIXES:
            raise DataError(f"{source}: not a photo; {', '.join(sorted(PHOTO_SUFFIXES))} are read")
        else:
            yield source


def _coefficients(
    workspace: Workspace, faces: Iterable[FacePhoto], shape: ClassifierShape
) -> tuple[CoefficientTable, list[Failure]]:
    """The photos' coefficients by the classifier's own reconstructor, and photos that gave none."""
    variant, cnet = trained_reconstructor(workspace, shape.source)
    device = pick_device(workspace.settings.device)
    opened = open_reconstructor(variant.name, variant.folder)
    photos = {face.path: face for face in faces}
    outcomes = list(opened.reconstruct(photos.values(), device))
    made = [each for each in outcomes if isinstance(each, Reconstruction)]
    columns = [as_columns(each.coefficients) for each in made]
    parts = {part: np.stack([each[part] for each in columns]) for part in PARTS} if columns else {}
    confidence = None
    if cnet is not None and variant.folder is not None and made:
        net = load_cnet(cnet.path, load_rnet(variant.folder))
        crops = [photos[each.path].aligned(net.rnet.crop_px).pixels.transpose(2, 0, 1) for each in made]
        confidence = net.views(np.stack(crops), device).confidence
    source = Source(str(opened.space), variant.version, "" if cnet is None else cnet.key)
    table = CoefficientTable(source, tuple(each.path for each in made), parts, confidence)
    return table, [each for each in outcomes if isinstance(each, Failure)]


def trained_reconstructor(workspace: Workspace, source: Source) -> tuple[Variant, Artefact | None]:
    """The reconstructor of that version, and the C-Net on top of it; raises `AssetMissing`."""
    name, _, version = source.reconstructor.partition(" ")
    if name == "landmarks":
        return Variant(name), None
    trained = workspace.store.lookup(name, version)
    cnet = workspace.store.lookup("cnet", source.confidence) if source.confidence else None
    if trained is None or (source.confidence and cnet is None):
        raise AssetMissing(
            f"the classifier was trained on coefficients of {name} {version[:12]}, which is not in this home folder; "
            "bring it here, or train both with `trinormal train-classifiers`"
        )
    return Variant(name, trained), cnet


def _analysed(workspace: Workspace, photos: Sequence[Path], failures: list[Failure]) -> Iterator[FacePhoto]:
    nets = load_face_nets(workspace.settings.assets)
    for path in photos:
        try:
            photo = read_photo(path)
            yield from_analysis(photo, analyse(photo, nets.detector, nets.landmarks), str(path))
        except PhotoError as error:
            failures.append(Failure(str(path), str(error)))
