"""Seals open with the right key and binding only; derived keys are those of the specifications."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.errors import SealError
from infra.sealing import derive, keyed_hash, keystream, new_key, seal, unseal

KEY = bytes(range(32))
WORDS = st.lists(st.text(max_size=8), min_size=1, max_size=3)


@given(st.binary(max_size=200), WORDS)
def test_what_is_sealed_opens_again(data: bytes, bound: list[str]):
    assert unseal(KEY, seal(KEY, data, bound), bound) == data


def test_two_seals_of_one_thing_have_nothing_in_common():
    first, second = (seal(KEY, bytes(4096), ["name"]) for _ in range(2))
    assert first[:12] != second[:12]
    alike = sum(a == b for a, b in zip(first, second, strict=True))
    assert alike < 60, "of 4124 bytes 16 agree by chance"


def test_any_changed_bit_another_key_or_another_binding_is_refused():
    sealed = seal(KEY, b"template", ["template", "anna", "1"])
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(SealError, match="template does not open"):
            unseal(KEY, bytes(changed), ["template", "anna", "1"])
    for key, bound in ((new_key(), ["template", "anna", "1"]), (KEY, ["template", "bert", "1"]), (KEY, ["template"])):
        with pytest.raises(SealError):
            unseal(key, sealed, bound)
    with pytest.raises(SealError):
        unseal(KEY, b"short", ["template"])


def test_derived_keys_are_hkdf_as_rfc_5869_has_it():
    pseudorandom = hmac.digest(bytes(32), KEY, "sha256")
    assert derive(KEY, "pseudonyms") == hmac.digest(pseudorandom, b"pseudonyms\x01", hashlib.sha256)
    assert derive(KEY, "one") != derive(KEY, "another")


@given(WORDS, WORDS)
def test_a_keyed_hash_tells_words_apart_however_they_are_cut(first: list[str], second: list[str]):
    assert (keyed_hash(KEY, *first) == keyed_hash(KEY, *second)) == (first == second)


def test_a_keystream_is_the_same_each_time_and_looks_random():
    stream = keystream(KEY, 80_000)
    assert stream == keystream(KEY, 90_000)[:80_000]
    counts = [stream.count(bytes([value])) for value in range(256)]
    chi_square = sum((count - 312.5) ** 2 / 312.5 for count in counts)
    assert 170 < chi_square < 360, "255 degrees of freedom: far beyond four standard deviations on either side"
