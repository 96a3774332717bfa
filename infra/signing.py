"""Ed25519 keys (RFC 8032): the one this home signs with, made at its first use, and the public ones it trusts."""

import re
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from infra.errors import KeyRefused
from infra.files import atomic_write_bytes, sha256_bytes
from infra.secret_files import keep_secret, open_to_others

OWN = "signing.pem"
TRUSTED = "trusted"
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


class Signature(NamedTuple):
    """Who signed, by the SHA-256 of the raw public key, and the 64 bytes that say so; both hexadecimal."""

    key: str
    value: str


class Keyring:
    """Keys below `folder`: `signing.pem` (PKCS#8, mode 0600) and `trusted/NAME.pem` (public keys)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def own_id(self) -> str:
        """The id of this home's key, which is made if need be."""
        return key_id(self._own.public_key())

    def public_pem(self) -> bytes:
        """This home's public key, for those who are to trust it; the key is made if need be."""
        return self._own.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, message: bytes) -> Signature:
        """This home's signature; raises `KeyRefused` where its key cannot be used."""
        return Signature(self.own_id, self._own.sign(message).hex())

    def verify(self, signature: Signature, message: bytes) -> str:
        """The name of the trusted key that signed `message`; raises `KeyRefused` when none did."""
        known = self.trusted()
        if signature.key not in known:
            raise KeyRefused(
                f"signed by key {signature.key[:16]}, which {self.folder} does not trust: ask who signed for their "
                "public key and add it with `trinormal package trust`"
            )
        name, public = known[signature.key]
        try:
            public.verify(bytes.fromhex(signature.value), message)
        except (InvalidSignature, ValueError):
            raise KeyRefused(f"its signature by key {signature.key[:16]} is wrong: fetch it again") from None
        return name

    def trust(self, name: str, pem: bytes) -> str:
        """Trust a public key under a name from now on; its id. Raises `KeyRefused` on another kind of key or name."""
        if not NAME.fullmatch(name):
            raise KeyRefused(f"{name!r} cannot name a key: use lower-case letters, digits, - and _")
        public = _public(pem, "the key")
        known = self.folder / TRUSTED / f"{name}.pem"
        if known.exists() and key_id(_public(known.read_bytes(), str(known))) != key_id(public):
            raise KeyRefused(f"{known}: another key has that name: remove the file or choose another name")
        atomic_write_bytes(known, public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        return key_id(public)

    def trusted(self) -> dict[str, tuple[str, Ed25519PublicKey]]:
        """Name and key by id; this home's own is among them once it is there."""
        files = sorted((self.folder / TRUSTED).glob("*.pem"))
        found = {path.stem: _public(path.read_bytes(), str(path)) for path in files}
        if (self.folder / OWN).exists():
            found["this home"] = self._own.public_key()
        return {key_id(public): (name, public) for name, public in found.items()}

    @cached_property
    def _own(self) -> Ed25519PrivateKey:
        path = self.folder / OWN
        if not path.exists():
            made = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            keep_secret(path, made)
        return _private(path)


def key_id(public: Ed25519PublicKey) -> str:
    """SHA-256 of the 32 bytes of a public key, hexadecimal."""
    return sha256_bytes(public.public_bytes(Encoding.Raw, PublicFormat.Raw))


def _private(path: Path) -> Ed25519PrivateKey:
    if open_to_others(path):
        raise KeyRefused(f"{path}: others may read or write it: `chmod 600` it, and make a new one if they have")
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyRefused(f"{path}: not a private key in PEM: restore it, or remove it to have a new one made") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyRefused(f"{path}: not an Ed25519 key: restore it, or remove it to have a new one made")
    return key


def _public(pem: bytes, where: str) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(pem)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyRefused(
            f"{where}: not a public key in PEM: ask for the file that `trinormal package key` wrote"
        ) from None
    if not isinstance(key, Ed25519PublicKey):
        raise KeyRefused(f"{where}: not an Ed25519 key: ask for the file that `trinormal package key` wrote")
    return key
