"""How long this machine takes for one item of each kind of work, on a few made-up faces at the sizes of a profile."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from infra.profiles import Profile
from models.networks.expnet import CoefficientLayout, build_expnet
from models.networks.preprocessing import use_channels_last
from models.networks.sphere20 import Sphere20
from models.reconstructors.stored import save_expnet
from tasks.build_crops import build_crops, read_crop_rows
from tasks.build_faces import build_coefficients
from tasks.build_normals import build_people, build_photo_normals, build_scan_normals
from tasks.build_photos import build_photos, read_rows
from tasks.build_regression import build_regression
from tasks.build_scans import build_scans
from tasks.normals import encoding_of, grid_of
from tasks.synthesise import five_points

PHOTOS, STEPS, BATCH = 6, 2, 4


class Rate(NamedTuple):
    """Cost of one item: core-seconds, bytes that are kept, and multiply-adds times two where a network is at work."""

    seconds: float
    size_bytes: float
    flops: float = 0.0


def measure_rates(profile: Profile) -> dict[str, Rate]:
    """A rate for each kind of work of `train-recognizer`, on one core; takes about a minute at the papers' sizes."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with tempfile.TemporaryDirectory() as folder:
            return _data_rates(profile, Path(folder)) | _network_rates(profile)
    finally:
        torch.set_num_threads(threads)


def _data_rates(profile: Profile, folder: Path) -> dict[str, Rate]:
    measure = _Bench(folder)
    photos = _photos(profile.photos.pixels, profile)
    made = measure("photos", PHOTOS, build_photos, **photos)
    world = measure("training photos", PHOTOS, build_photos, **_photos(profile.expnet.world.pixels, profile))
    measure("training crops", PHOTOS, build_regression, pixels=profile.expnet.pixels, shard=world)
    sizes = {"recogniser_px": profile.recogniser.photo_pixels, "reconstructor_px": profile.expnet.pixels}
    rows = [
        {"path": row.path, "subject": str(row.subject), "points": five_points(row.points), "failure": None}
        for row in read_rows(made / "rows.csv")
    ]
    crops = measure("align", PHOTOS, build_crops, **sizes, root=made, rows=rows, assets=folder)
    where: dict[str, Any] = {"root": made, "crops": crops, "pixels": profile.expnet.pixels}
    network: dict[str, Any] = {"name": "expnet", "network": _some_expnet(profile, folder / "network"), "device": "cpu"}
    faces = measure("reconstruct", PHOTOS, build_coefficients, **where, **network, landmarks=None)
    owners = np.zeros(len(read_crop_rows(crops)), np.int64)
    people = measure("pool", PHOTOS, build_people, spread=0.0, seed=0, faces=[faces], owners=[owners])
    config = profile.normals
    pooled = {"faces": faces, "people": people, "owner": people / "0.npy", "seed": 0}
    measure("encode", PHOTOS, build_photo_normals, **encoding_of(config), **pooled, **where, **network)
    scanner = profile.benchmark.scanner.model_dump()
    scans = measure("scans", 25, build_scans, seed=0, first=0, count=1, people=2, scanner=scanner)
    paths = [path.relative_to(scans).as_posix() for path in sorted(scans.rglob("*.wrl"))][:PHOTOS]
    how = {"grid": grid_of(config), "crop_radius_mm": config.crop_radius_mm, "cleaning": config.cleaning.model_dump()}
    measure("encode scans", len(paths), build_scan_normals, **how, root=scans, paths=paths)
    return measure.rates


class _Bench:
    """Fills one folder after another and keeps what an item took; the first call compiles and is not counted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rates: dict[str, Rate] = {}

    def __call__(self, name: str, items: int, build: Callable[..., None], /, **arguments: Any) -> Path:
        self._fill(name, "warm", build, arguments)
        place, seconds = self._fill(name, "timed", build, arguments)
        size = sum(path.stat().st_size for path in place.rglob("*") if path.is_file())
        self.rates[name] = Rate(seconds / items, size / items)
        return place

    def _fill(self, name: str, attempt: str, build: Callable[..., None], given: dict[str, Any]) -> tuple[Path, float]:
        place = self.folder / f"{name}-{attempt}"
        place.mkdir()
        start = time.process_time()
        build(place, **given)
        return place, time.process_time() - start


def _photos(pixels: int, profile: Profile) -> dict[str, Any]:
    conditions = {"yaw_spread_deg": profile.photos.yaw_spread_deg, "occlusion": profile.photos.occlusion}
    people = {"split": "recognition", "seed": 0, "first": 0, "count": 1, "photos_per_person": PHOTOS}
    return {**people, "pixels": pixels, **conditions}


def _some_expnet(profile: Profile, folder: Path) -> Path:
    """A network of the right size; what it says does not change how long it takes."""
    config = profile.expnet
    folder.mkdir()
    network = build_expnet(config.depth, config.width, CoefficientLayout().size)
    save_expnet(folder, network, config.depth, config.width, config.pixels)
    return folder


def _network_rates(profile: Profile) -> dict[str, Rate]:
    """One image through a training step (forward, backward, optimiser), and through a finished network."""
    recogniser, pixels = profile.recogniser, profile.normals.pixels
    photo_size = (recogniser.photo_pixels, recogniser.photo_pixels)
    photo = Sphere20(3, recogniser.width, photo_size, recogniser.embedding, recogniser.batch_norm)
    axis = Sphere20(1, recogniser.width, (pixels, pixels), recogniser.embedding, recogniser.batch_norm)
    expnet = build_expnet(profile.expnet.depth, profile.expnet.width, CoefficientLayout().size)
    return {
        "train expnet": _training_rate(expnet, (3, profile.expnet.pixels, profile.expnet.pixels)),
        "pretrain": _training_rate(photo, (3, *photo_size)),
        "finetune": _training_rate(axis, (1, pixels, pixels)),
        "embed": _inference_rate(axis, (1, pixels, pixels)),
    }


def _training_rate(network: nn.Module, shape: tuple[int, ...]) -> Rate:
    network.train()
    optimiser = torch.optim.AdamW(network.parameters(), 1e-4)
    images = torch.randn(BATCH, *shape).contiguous(memory_format=torch.channels_last)
    use_channels_last(network)

    def step() -> None:
        optimiser.zero_grad()
        outputs: Tensor = network(images)
        functional.mse_loss(outputs, torch.zeros_like(outputs)).backward()
        optimiser.step()

    return _timed(step)


def _inference_rate(network: nn.Module, shape: tuple[int, ...]) -> Rate:
    network.eval()
    images = torch.randn(BATCH, *shape).contiguous(memory_format=torch.channels_last)

    def step() -> None:
        with torch.inference_mode():
            network(images)

    return _timed(step)


def _timed(step: Callable[[], None]) -> Rate:
    counter = FlopCounterMode(display=False)
    with counter:
        step()
    start = time.process_time()
    for _ in range(STEPS):
        step()
    return Rate((time.process_time() - start) / (STEPS * BATCH), 0.0, counter.get_total_flops() / BATCH)
