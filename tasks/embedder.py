"""Faces to embeddings by the champion: scans cleaned as it was tested, photos reconstructed as it was trained."""

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
import onnxruntime
from jaxtyping import Float32, UInt8
from numpy import ndarray

from models.errors import AssetMissing, ScanError
from models.export.embedding import embed_normals
from models.export.onnx import load_session
from models.geometry.canonical import canonical_range_image
from models.geometry.cleaning import Cleaning
from models.geometry.range_image import Grid
from models.geometry.template import Template, template_from
from models.morphable.builtin import load_face
from models.reconstructors.catalogue import open_reconstructor
from models.reconstructors.encoding import UNVARIED, centred, face_footprint, normal_bytes, training_image
from models.reconstructors.protocol import FacePhoto, Reconstruction, Reconstructor
from models.training.device import pick_device
from models.types import Failure, Scan
from registry.lineage import ancestors
from registry.packaging import LINEAGE, find_version
from tasks.champion import Champion, open_champion
from tasks.face_samples import NAMELESS, Sample
from tasks.variants import Variant
from tasks.wiring import Workspace

TRAINED = ("expnet", "rnet", "texface")
"""Reconstructors whose weights are artefacts of their own; a stage has the name of its reconstructor."""
Image = UInt8[ndarray, "3 h w"]
Vectors = Float32[ndarray, "3 d"]
"""Unit embeddings of Nx, Ny and Nz of one face."""


class Embedder:
    """A version of a model, usually the champion, ready for scans and photos."""

    def __init__(self, workspace: Workspace, champion: Champion) -> None:
        self.champion = champion
        self._workspace = workspace
        self._face = load_face()
        normals = champion.normals
        self._grid = Grid(normals.pixels, normals.pixels, normals.mm_per_pixel)
        self._footprint = face_footprint(self._face, self._grid, normals.crop_radius_mm)

    def embed(self, samples: Sequence[Sample]) -> list[Vectors | Failure]:
        """One answer a sample, in order: its embeddings, or why there are none."""
        images = self.images(samples)
        usable = [image for image in images if not isinstance(image, Failure)]
        given = np.array(usable, dtype=np.uint8).reshape(-1, 3, self._grid.height, self._grid.width)
        embedded = iter(np.stack(embed_normals(self._session, given), axis=1))
        return [image if isinstance(image, Failure) else next(embedded) for image in images]

    def images(self, samples: Sequence[Sample]) -> list[Image | Failure]:
        """The normal component images that the embeddings are made of."""
        photos = iter(self._photos([sample for sample in samples if isinstance(sample, FacePhoto)]))
        return [self._scan(sample) if isinstance(sample, Scan) else next(photos) for sample in samples]

    @cached_property
    def takes_photos(self) -> bool:
        """Whether the reconstructor is here that the version was trained with."""
        try:
            reconstructor_of(self._workspace, self.champion)
        except AssetMissing:
            return False
        return True

    @cached_property
    def _session(self) -> onnxruntime.InferenceSession:
        return load_session(self.champion.graph)

    @cached_property
    def _template(self) -> Template:
        return template_from(Scan(self._face.template, self._face.triangles))

    @cached_property
    def _reconstructor(self) -> Reconstructor:
        variant = reconstructor_of(self._workspace, self.champion)
        return open_reconstructor(variant.name, variant.folder)

    def _scan(self, scan: Scan) -> Image | Failure:
        """Cleaned and encoded as the benchmark's scans are."""
        normals = self.champion.normals
        how = Cleaning(**normals.cleaning.model_dump())
        try:
            image, _ = canonical_range_image(
                scan, self._template, self._grid, radius_mm=normals.crop_radius_mm, cleaning=how
            )
        except ScanError as error:
            return Failure(NAMELESS, str(error))
        return normal_bytes(image, self._footprint)

    def _photos(self, photos: Sequence[FacePhoto]) -> Iterator[Image | Failure]:
        """Reconstructed and encoded as the training's photos are, without their variation."""
        if not photos:
            return
        device = pick_device(self._workspace.settings.device)
        for outcome in self._reconstructor.reconstruct(photos, device):
            yield self._reconstructed(outcome) if isinstance(outcome, Reconstruction) else outcome

    def _reconstructed(self, made: Reconstruction) -> Image:
        upright = Scan(centred(made.vertices, self._face.nose_tip), made.triangles)
        return training_image(upright, self._grid, self._footprint, UNVARIED, np.random.default_rng(0))


def open_embedder(workspace: Workspace, model: str) -> Embedder:
    """The champion of `model`; raises `AssetMissing` where there is none."""
    return Embedder(workspace, open_champion(model))


def reconstructor_of(workspace: Workspace, champion: Champion) -> Variant:
    """The very reconstructor that made the champion's training images; raises `AssetMissing` where it is not here."""
    found = find_version(workspace.tracker, champion.name, champion.version)
    for node in ancestors(workspace.engine, found.tags.get(LINEAGE, "")):
        if node.stage in TRAINED:
            trained = workspace.store.lookup(node.stage, node.hash)
            if trained is not None:
                return Variant(node.stage, trained)
            break
    raise AssetMissing(
        f"photos need the reconstructor that {champion.name} version {champion.version} was trained with, which is not "
        "in this home folder: bring its home, train anew, or use scans"
    )
