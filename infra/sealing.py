"""Bytes under lock: AES-256-GCM bound to what they belong to, and keys and names derived from one secret."""

import hmac
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from infra.errors import SealError
from infra.files import canonical_json

KEY_BYTES = 32
_NONCE_BYTES = 12


def new_key() -> bytes:
    """256 random bits."""
    return os.urandom(KEY_BYTES)


def seal(key: bytes, data: bytes, bound_to: Sequence[str]) -> bytes:
    """A fresh nonce, then the ciphertext and its tag (NIST SP 800-38D); it opens only with the same `bound_to`.

    A random nonce of 96 bits is safe for 2^32 seals under one key.
    """
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, data, _binding(bound_to))


def unseal(key: bytes, sealed: bytes, bound_to: Sequence[str]) -> bytes:
    """What was sealed; raises `SealError` with another key, another binding, or one changed bit."""
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _binding(bound_to))
    except (InvalidTag, ValueError):
        what = bound_to[0] if bound_to else "record"
        raise SealError(f"a sealed {what} does not open: it was changed or moved, or its key is another") from None


def derive(key: bytes, purpose: str) -> bytes:
    """A key for one purpose; those of other purposes say nothing about it (HKDF-SHA256, RFC 5869)."""
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=purpose.encode()).derive(key)


def keyed_hash(key: bytes, *words: str) -> str:
    """HMAC-SHA256 over words: the same for the same words, and no use to who lacks the key."""
    return hmac.digest(key, _binding(words), "sha256").hex()


def keystream(key: bytes, count: int) -> bytes:
    """`count` bytes that nobody without the key can tell from random ones, the same each time (AES-256-CTR)."""
    return Cipher(algorithms.AES256(key), modes.CTR(bytes(16))).encryptor().update(bytes(count))


def _binding(words: Sequence[str]) -> bytes:
    return canonical_json(list(words)).encode()
