"""Signing keys: made once, kept private, and trust that is given by name."""

import base64
import hashlib
import multiprocessing
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from infra.errors import KeyRefused
from infra.signing import Keyring, Signature


def own_id(folder: Path) -> str:
    return Keyring(folder).own_id


def test_the_key_is_made_at_its_first_use_and_stays(tmp_path: Path):
    folder = tmp_path / "keys"
    first = Keyring(folder).sign(b"word")
    assert Keyring(folder).sign(b"word") == first  # Ed25519 is deterministic
    assert stat.S_IMODE((folder / "signing.pem").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [path.name for path in folder.iterdir()] == ["signing.pem"]


def test_an_id_is_the_hash_of_the_raw_public_key(tmp_path: Path):
    keys = Keyring(tmp_path)
    der = base64.b64decode("".join(keys.public_pem().decode().splitlines()[1:-1]))
    assert keys.own_id == hashlib.sha256(der[-32:]).hexdigest()  # RFC 8410: the raw key ends the DER


def test_of_many_first_uses_at_once_all_get_one_key(tmp_path: Path):
    with multiprocessing.get_context("fork").Pool(4) as pool:
        ids = pool.map(own_id, [tmp_path / "keys"] * 16)
    assert len(set(ids)) == 1
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["signing.pem"]


def test_a_signature_holds_for_one_message_and_one_key(tmp_path: Path):
    ours, theirs = Keyring(tmp_path / "ours"), Keyring(tmp_path / "theirs")
    signed = ours.sign(b"word")
    assert ours.verify(signed, b"word") == "this home"
    with pytest.raises(KeyRefused, match="wrong"):
        ours.verify(signed, b"Word")
    with pytest.raises(KeyRefused, match="does not trust"):
        theirs.verify(signed, b"word")
    with pytest.raises(KeyRefused, match="wrong"):
        ours.verify(Signature(ours.own_id, theirs.sign(b"word").value), b"word")


def test_a_key_that_is_trusted_by_name_verifies_and_one_that_is_removed_does_not(tmp_path: Path):
    ours, theirs = Keyring(tmp_path / "ours"), Keyring(tmp_path / "theirs")
    assert ours.trust("lab", theirs.public_pem()) == theirs.own_id
    assert ours.verify(theirs.sign(b"word"), b"word") == "lab"
    assert ours.trust("lab", theirs.public_pem()) == theirs.own_id
    (tmp_path / "ours" / "trusted" / "lab.pem").unlink()
    with pytest.raises(KeyRefused, match="does not trust"):
        ours.verify(theirs.sign(b"word"), b"word")


def test_a_name_is_not_given_to_a_second_key(tmp_path: Path):
    ours = Keyring(tmp_path / "ours")
    ours.trust("lab", Keyring(tmp_path / "a").public_pem())
    with pytest.raises(KeyRefused, match="another key has that name"):
        ours.trust("lab", Keyring(tmp_path / "b").public_pem())


@pytest.mark.parametrize("name", ["", "../lab", "a/b", "Lab", ".lab", "x" * 65])
def test_a_name_that_could_be_a_path_is_refused(tmp_path: Path, name: str):
    with pytest.raises(KeyRefused, match="cannot name"):
        Keyring(tmp_path).trust(name, Keyring(tmp_path / "a").public_pem())


def test_only_ed25519_public_keys_are_trusted(tmp_path: Path):
    curve = generate_private_key(SECP256R1()).public_key()
    for pem in (curve.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), b"", b"\x80\x04pickle"):
        with pytest.raises(KeyRefused, match=r"Ed25519|PEM"):
            Keyring(tmp_path).trust("lab", pem)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_key_that_others_may_read_or_write_is_not_used(tmp_path: Path, mode: int):
    Keyring(tmp_path).sign(b"word")
    (tmp_path / "signing.pem").chmod(mode)
    with pytest.raises(KeyRefused, match="chmod 600"):
        Keyring(tmp_path).sign(b"word")


def test_a_damaged_key_is_refused_in_one_line_and_not_replaced(tmp_path: Path):
    Keyring(tmp_path).sign(b"word")
    (tmp_path / "signing.pem").write_bytes(b"-----BEGIN PRIVATE KEY-----\nno\n")
    with pytest.raises(KeyRefused, match="not a private key") as caught:
        Keyring(tmp_path).sign(b"word")
    assert "\n" not in str(caught.value)
    assert (tmp_path / "signing.pem").read_bytes() == b"-----BEGIN PRIVATE KEY-----\nno\n"
