"""SignedFolder folders: a manifest of every file's size and SHA-256, and a signature over the manifest.

Nothing of a signed folder is parsed before the signature and all hashes are right. Folders are flat, so that no name
can lead out of them.
"""

import json
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from infra.config import Config
from infra.errors import KeyRefused, PackageBroken
from infra.files import atomic_write_text, canonical_json, sha256_bytes
from infra.signing import Keyring, Signature

MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
FORMAT = "trinormal-package-1"
MOST_FILES = 64
MOST_BYTES = {MANIFEST: 2**20, SIGNATURE: 4096}
LARGEST_FILE = 2**32
NAME = re.compile(r"(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
KINDS = (".onnx", ".safetensors", ".json", ".md", ".txt", ".yaml")
PLAIN = ("MLmodel",)
HEX = re.compile(r"[0-9a-f]{192}")
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Entry(Config):
    """One file."""

    sha256: Sha256
    size: Annotated[int, Field(ge=0, le=LARGEST_FILE)]


class Manifest(Config):
    """What was signed: `subject` says what it is, `files` what it consists of."""

    format: Literal["trinormal-package-1"]
    subject: dict[str, str]
    files: Annotated[dict[str, Entry], Field(max_length=MOST_FILES)]


@dataclass(frozen=True)
class SignedFolder:
    """A folder that was found to be what `signer` signed; `digest` is the SHA-256 of its manifest."""

    folder: Path
    manifest: Manifest
    digest: str
    signer: str

    def read(self, name: str) -> bytes:
        """The bytes of one file, hashed once more as they are read; raises `PackageBroken`."""
        entry = self.manifest.files.get(name)
        if entry is None:
            raise PackageBroken(f"{self.folder}: holds no {name}: use a package of another kind")
        content = _read(self.folder / name, entry.size)
        if sha256_bytes(content) != entry.sha256:
            raise PackageBroken(f"{self.folder}: {name} was changed")
        return content


def sign_folder(folder: Path, subject: Mapping[str, str], keys: Keyring) -> str:
    """Write the manifest of everything in `folder` and its signature; the manifest's SHA-256.

    Raises `PackageBroken` for what no signed folder may hold, and `KeyRefused` where the key cannot be used.
    """
    files = {name: {"sha256": _hash(folder / name), "size": size} for name, size in listing(folder).items()}
    for name in files:
        _require_kind(folder, name)
    text = canonical_json({"format": FORMAT, "subject": dict(subject), "files": files}) + "\n"
    atomic_write_text(folder / MANIFEST, text)
    atomic_write_text(folder / SIGNATURE, _written(keys.sign(_message(text.encode()))))
    return sha256_bytes(text.encode())


def open_signed(folder: Path, keys: Keyring) -> SignedFolder:
    """The folder, after signature, names, sizes and every hash were found right.

    Raises `PackageBroken`, or `KeyRefused` when no trusted key signed it; nothing of it has been parsed then.
    """
    found = listing(folder)
    raw = _read(folder / MANIFEST, MOST_BYTES[MANIFEST])
    manifest, signer = read_manifest(raw, _read(folder / SIGNATURE, MOST_BYTES[SIGNATURE]), keys, str(folder))
    require_listed(manifest, found, str(folder))
    for name, entry in manifest.files.items():
        if _hash(folder / name) != entry.sha256:
            raise PackageBroken(f"{folder}: {name} was changed")
    return SignedFolder(folder, manifest, sha256_bytes(raw), signer)


def read_manifest(raw: bytes, signature: bytes, keys: Keyring, where: str) -> tuple[Manifest, str]:
    """The manifest and the name of the key that signed it. It is parsed only once the signature is right."""
    try:
        signer = keys.verify(_parsed(signature), _message(raw))
    except (KeyRefused, ValueError) as error:
        raise PackageBroken(f"{where}: {error}") from None
    try:
        manifest = Manifest.model_validate_json(raw)
    except ValidationError as error:
        raise PackageBroken(f"{where}: {MANIFEST} is of another kind ({error.errors()[0]['msg']})") from None
    for name in manifest.files:
        _require_kind(where, name)
    return manifest, signer


def require_listed(manifest: Manifest, found: Mapping[str, int], where: str) -> None:
    """Raise `PackageBroken` where files (name to size, the manifest itself left out) are not those of the manifest."""
    for name in sorted(manifest.files.keys() - found.keys()):
        raise PackageBroken(f"{where}: {name} is missing")
    for name in sorted(found.keys() - manifest.files.keys()):
        raise PackageBroken(f"{where}: {name!r} does not belong to it")
    for name, entry in manifest.files.items():
        if found[name] != entry.size:
            raise PackageBroken(f"{where}: {name} has {found[name]} bytes instead of {entry.size}")


def listing(folder: Path) -> dict[str, int]:
    """Size of every file but the manifest and its signature; raises `PackageBroken` where one is no plain file."""
    found: dict[str, int] = {}
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                told = entry.stat(follow_symlinks=False)
                if not stat.S_ISREG(told.st_mode):
                    raise PackageBroken(
                        f"{folder}: {entry.name!r} is no plain file: a package holds no folders and links"
                    )
                if len(found) > MOST_FILES:
                    raise PackageBroken(f"{folder}: holds more than {MOST_FILES} files")
                found[entry.name] = told.st_size
    except OSError as error:
        raise PackageBroken(f"{folder}: cannot be read ({error.strerror})") from None
    return {name: size for name, size in sorted(found.items()) if name not in MOST_BYTES}


def _require_kind(where: Path | str, name: str) -> None:
    if not NAME.fullmatch(name) or not (name in PLAIN or name.endswith(KINDS)):
        raise PackageBroken(f"{where}: {name!r} may not be in a package: only {', '.join((*PLAIN, *KINDS))} may")


def _message(manifest: bytes) -> bytes:
    """What is signed: the manifest behind its format's name, so that no signature serves two purposes."""
    return FORMAT.encode() + b"\n" + manifest


def _written(signature: Signature) -> str:
    return canonical_json({"algorithm": "ed25519", **signature._asdict()}) + "\n"


def _parsed(raw: bytes) -> Signature:
    """The signature, if the file is byte for byte what `sign_folder` writes; raises `ValueError`."""
    try:
        found = json.loads(raw)
        signature = Signature(str(found["key"]), str(found["value"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ValueError(f"{SIGNATURE} holds no signature") from None
    if not HEX.fullmatch(signature.key + signature.value) or _written(signature).encode() != raw:
        raise ValueError(f"{SIGNATURE} holds more or less than a signature")
    return signature


def _read(path: Path, most: int) -> bytes:
    with os.fdopen(_opened(path), "rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise PackageBroken(f"{path}: more than {most} bytes")
    return content


def _hash(path: Path) -> str:
    with os.fdopen(_opened(path), "rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _opened(path: Path) -> int:
    """A descriptor of a plain file: a link is not followed, and a pipe is not waited for."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise PackageBroken(f"{path}: cannot be read ({error.strerror})") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise PackageBroken(f"{path}: no plain file")
    return descriptor
