"""Mutated files of every format are read whole or refused with one typed line that names them; nothing else happens."""

import numpy as np
import pytest

from tests.fuzz.formats import FORMATS
from tests.fuzz.mutations import MUTATIONS, mutated
from tests.fuzz.trials import run_trials

EVERYDAY, CAMPAIGN = 100, 2_000
MOSTLY_READABLE = {"KDEF, FEI, VGGFace2 JPEG", "names of all data sets"}
"""Flips in a JPEG's picture data decode to another picture, and a name that is not one is another file."""


@pytest.mark.parametrize("name", FORMATS)
def test_a_hundred_mutated_files_of_each_format_are_refused_or_whole(name, tmp_path):
    outcome = run_trials(name, EVERYDAY, tmp_path)
    assert outcome.violations == []
    assert outcome.refused > EVERYDAY / 10 or name in MOSTLY_READABLE


@pytest.mark.campaign
@pytest.mark.parametrize("name", FORMATS)
def test_two_thousand_mutated_files_of_each_format_are_refused_or_whole(name, tmp_path):
    outcome = run_trials(name, CAMPAIGN, tmp_path, seed=1)
    assert outcome.violations == []


def test_the_harness_notices_a_reader_that_lets_damage_through(tmp_path, monkeypatch):
    broken = FORMATS["Bosphorus .bnt"]._replace(read=lambda path: int(path.read_bytes()[:1] == b"\n") // 0)
    monkeypatch.setitem(FORMATS, "Bosphorus .bnt", broken)
    with pytest.raises(ZeroDivisionError):
        run_trials("Bosphorus .bnt", 1, tmp_path)
    size = len(broken.original)
    careless = broken._replace(read=lambda path: len(path.read_bytes()), check=lambda found: _require(found == size))
    monkeypatch.setitem(FORMATS, "Bosphorus .bnt", careless)
    assert run_trials("Bosphorus .bnt", 50, tmp_path).violations


def _require(true):
    assert true


@pytest.mark.parametrize("damage", MUTATIONS, ids=lambda damage: damage.__name__)
def test_each_damage_changes_files(damage):
    rng = np.random.default_rng(0)
    changed = 0
    for _ in range(50):
        data = bytearray(FORMATS["FRGC .abs"].original)
        damage(data, rng)
        changed += bytes(data) != FORMATS["FRGC .abs"].original
    assert changed > 30
    assert mutated(b"a", rng) is not None
