"""Is this machine ready? Every finding says what was looked at, how it is, and what to do where it is not well."""

import re
import shutil
import socket
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from infra.assets import locate_assets
from infra.database import migrate, open_engine
from infra.errors import InfrastructureError
from infra.files import atomic_write_bytes, remove
from infra.settings import Settings
from models.errors import ConfigurationError
from models.morphable.basel_files import inspect_basel
from models.photos.assets import FACE_NETS
from tasks.doctor_services import examine_services
from tasks.findings_of_doctor import Finding

DISTRIBUTION = "trinormal"
LEAST_FREE_GB = 5.0
GB = 1e9
PORTS = {4200: "Prefect", 5000: "MLflow"}


def examine(settings: Settings, basel: Path | None = None) -> list[Finding]:
    """Every finding; `basel` is a folder with the files of the Basel Face Model. Nothing but the home is written to."""
    return [
        *_packages(),
        _device(settings),
        _home(settings.home),
        _room(settings.home),
        _database(settings),
        *_face_nets(settings.assets),
        *examine_services(settings),
        *(_port(port, what) for port, what in PORTS.items()),
        *(_basel(basel) if basel is not None else ()),
    ]


def _packages() -> Iterator[Finding]:
    """One finding for all requirements that hold, one for each that does not: pins that others have moved."""
    required = [Requirement(line) for line in metadata.requires(DISTRIBUTION) or []]
    mine = [each for each in required if each.marker is None or each.marker.evaluate({"extra": ""})]
    wrong = [finding for each in mine if (finding := _requirement(each)) is not None]
    if not wrong:
        yield Finding("packages", "ok", f"{len(mine)} required, all of versions that work together")
    yield from wrong


def _requirement(required: Requirement) -> Finding | None:
    try:
        found = metadata.version(required.name)
    except metadata.PackageNotFoundError:
        found = "nothing"
    if found != "nothing" and required.specifier.contains(found, prereleases=True):
        return None
    return Finding(f"package {required.name}", "wrong", found, f"pip install '{required.name}{required.specifier}'")


def _device(settings: Settings) -> Finding:
    import torch

    from models.training.device import pick_device

    try:
        chosen = pick_device(settings.device)
    except ConfigurationError as error:
        return Finding("device", "wrong", settings.device, str(error))
    name = torch.cuda.get_device_name(chosen) if chosen.type == "cuda" else f"CPU, {settings.workers} workers"
    return Finding("device", "ok", name)


def _home(home: Path) -> Finding:
    probe = home / "doctor.probe"
    try:
        atomic_write_bytes(probe, b"written and read back")
        whole = probe.read_bytes() == b"written and read back"
        remove(probe)
    except (OSError, InfrastructureError) as error:
        return Finding("home", "wrong", str(home), f"{error}; set TRINORMAL_HOME to a folder you may write")
    return Finding("home", "ok" if whole else "wrong", str(home), "" if whole else "the disk does not keep what it got")


def _room(home: Path) -> Finding:
    place = next(folder for folder in (home, *home.parents) if folder.is_dir())
    free = shutil.disk_usage(place).free / GB
    enough = free >= LEAST_FREE_GB
    advice = "" if enough else f"make room: a demo wants about {LEAST_FREE_GB:.0f} GB"
    return Finding("disk", "ok" if enough else "warning", f"{free:.1f} GB free", advice)


def _database(settings: Settings) -> Finding:
    try:
        engine = open_engine(settings.database_url.get_secret_value(), wait_s=5)
        migrate(engine)
        engine.dispose()
    except InfrastructureError as error:
        return Finding("database", "wrong", "not usable", str(error))
    return Finding("database", "ok", engine.url.render_as_string(hide_password=True))


def _face_nets(folder: Path) -> Iterator[Finding]:
    located = locate_assets(FACE_NETS, folder)
    missing = [asset.name for asset in located.missing]
    if missing:
        yield Finding("face networks", "warning", f"{' and '.join(missing)} not there", "trinormal setup")
    else:
        yield Finding("face networks", "ok", f"{len(located.present)} of {len(FACE_NETS)}, hashes match")


def _port(port: int, what: str) -> Finding:
    with socket.socket() as probe:
        probe.settimeout(1)
        used = probe.connect_ex(("127.0.0.1", port)) == 0
    if not used:
        return Finding(f"port {port}", "ok", "free")
    advice = f"{what}'s usual port: trinormal up takes another, or the one of --{what.lower()}-port"
    return Finding(f"port {port}", "warning", "in use", advice)


def _basel(folder: Path) -> Iterator[Finding]:
    for found in inspect_basel(folder):
        advice = re.sub(r"\s+", " ", found.advice)
        yield Finding(f"Basel: {found.file}", "ok" if found.state == "present" else "wrong", found.state, advice)
