"""A home in one file, taken while it is in use, and put back where there is none.

The file is a tar of what lies in the home, with every database as one consistent state, a dump of each PostgreSQL
database, and last a manifest with the hash of every file. It holds keys and templates: whoever has it has all.
"""

import hashlib
import json
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from infra.dumps import copy_sqlite, dump_postgres, is_sqlite, require_empty, restore_postgres
from infra.errors import StoreError
from infra.files import PARTIAL, atomic_directory, atomic_path, remove, sha256_file
from infra.settings import Settings

FORMAT = "trinormal-backup-1"
MANIFEST = "manifest.json"
HOME, POSTGRES = "home", "postgres"
LEFT_OUT = {"cache", "logs", "scratch"}
"""Folders that are made again, or mean nothing elsewhere."""
BESIDE_SQLITE = ("-wal", "-shm", "-journal")


class Summary(NamedTuple):
    """What a backup holds."""

    files: int
    size_bytes: int
    databases: int


def back_up(settings: Settings, target: Path) -> Summary:
    """Write the home and its databases to `target`, whole or not at all.

    Databases come first: what they name is written before they name it, so it is in the backup too.
    """
    if target.is_relative_to(settings.home):
        raise StoreError(f"{target} lies in the home that it is to hold; name a file outside {settings.home}")
    files: dict[str, dict[str, Any]] = {}
    with atomic_path(target) as partial, tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        partial.touch(mode=0o600)
        with tarfile.open(partial, "w") as tar:
            for name, path in (*_databases(settings, Path(scratch)), *_files(settings.home)):
                entry = _add(tar, name, path)
                if entry is not None:
                    files[name] = entry
            text = json.dumps({"format": FORMAT, "home": str(settings.home), "files": files}, indent=1).encode()
            tar.addfile(_named(MANIFEST, len(text)), BytesIO(text))
    return _summary(files)


def restore(settings: Settings, source: Path) -> Summary:
    """Put a backup back: `settings.home` must not be there, and the PostgreSQL databases must be empty.

    Raises `StoreError` when the file is damaged or of another home, before anything is changed.
    """
    home = settings.home
    if any(path.is_file() for path in home.rglob("*")):
        raise StoreError(f"{home} is in use; set it aside, or set TRINORMAL_HOME to a folder that is not there")
    for url in postgres_urls(settings).values():
        require_empty(url)
    with tempfile.TemporaryDirectory(dir=_existing(home.parent)) as scratch:
        files = _extract(source, Path(scratch), home)
        for name, url in postgres_urls(settings).items():
            restore_postgres(_dump(Path(scratch), name, source), url)
        remove(home)  # no file in it, as was seen above
        with atomic_directory(home) as folder:
            for entry in sorted((Path(scratch) / HOME).iterdir()):
                entry.rename(folder / entry.name)
    return _summary(files)


def postgres_urls(settings: Settings) -> dict[str, str]:
    """The PostgreSQL databases that belong to the home, by what they are for."""
    urls = {"trinormal": settings.database_url.get_secret_value(), "mlflow": settings.mlflow_tracking_uri}
    urls["prefect"] = settings.prefect_database_url.get_secret_value()
    return {name: url for name, url in urls.items() if url.startswith("postgres")}


def _databases(settings: Settings, scratch: Path) -> Iterator[tuple[str, Path]]:
    for name, url in postgres_urls(settings).items():
        dump_postgres(url, scratch / f"{name}.dump")
        yield f"{POSTGRES}/{name}.dump", scratch / f"{name}.dump"
    for number, path in enumerate(path for path in _kept(settings.home) if path.suffix == ".db" and is_sqlite(path)):
        copy = scratch / f"{number}.db"
        copy_sqlite(path, copy)
        yield f"{HOME}/{path.relative_to(settings.home).as_posix()}", copy


def _files(home: Path) -> Iterator[tuple[str, Path]]:
    """What is no database."""
    for path in _kept(home):
        if not (path.suffix == ".db" and is_sqlite(path)) and not path.name.endswith(BESIDE_SQLITE):
            yield f"{HOME}/{path.relative_to(home).as_posix()}", path


def _kept(home: Path) -> Iterator[Path]:
    """The files of the home that a backup holds; half-written ones are none of them."""
    tops = sorted(path for path in home.iterdir() if path.name not in LEFT_OUT)
    for path in (path for top in tops for path in ([top] if top.is_file() else sorted(top.rglob("*")))):
        if path.is_file() and not path.is_symlink() and PARTIAL not in path.as_posix():
            yield path


def _add(tar: tarfile.TarFile, name: str, path: Path) -> dict[str, Any] | None:
    """Copy a file with its hash; None when it has vanished since it was listed."""
    try:
        data = path.open("rb")
    except FileNotFoundError:
        return None
    with data:
        digest = hashlib.file_digest(data, "sha256").hexdigest()
        size = data.tell()
        data.seek(0)
        tar.addfile(_named(name, size), data)
    return {"size": size, "sha256": digest}


def _named(name: str, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    return info


def _extract(source: Path, folder: Path, home: Path) -> Mapping[str, dict[str, Any]]:
    """Unpack everything and hold it against the manifest."""
    try:
        with tarfile.open(source) as tar:
            tar.extractall(folder, filter="data")
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_bytes())
        files: dict[str, dict[str, Any]] = manifest["files"]
        known = manifest["format"] == FORMAT
    except (OSError, tarfile.TarError, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{source}: not a whole backup ({type(error).__name__}); use another one") from None
    if not known:
        raise StoreError(f"{source}: not a {FORMAT} file; use one that this program wrote")
    if manifest["home"] != str(home):
        raise StoreError(f"{source} is of {manifest['home']}, which MLflow's links name; set TRINORMAL_HOME to that")
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {MANIFEST}
    for name in sorted(found | files.keys()):
        if name not in found or name not in files or sha256_file(folder / name) != files[name]["sha256"]:
            raise StoreError(f"{source}: {name} is not what its manifest says; use another backup")
    (folder / HOME).mkdir(exist_ok=True)
    return files


def _dump(folder: Path, name: str, source: Path) -> Path:
    path = folder / POSTGRES / f"{name}.dump"
    if not path.is_file():
        raise StoreError(f"{source}: holds no dump of the {name} database; unset its PostgreSQL URL to restore SQLite")
    return path


def _existing(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _summary(files: Mapping[str, dict[str, Any]]) -> Summary:
    databases = sum(name.startswith(POSTGRES) or name.endswith(".db") for name in files)
    return Summary(len(files), sum(int(entry["size"]) for entry in files.values()), databases)
