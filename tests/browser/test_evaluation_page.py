"""The page of a night in a real browser, as wide as a desk and as narrow as a phone; every part of it is filled."""

from pathlib import Path
from typing import Any

import pytest

from tasks.evaluation_page import benchmark_sections, page_of
from tasks.night_page import chips_of, night_sections
from tests.browser.chromium import Browser

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
SIZES = [(1280, 900, False), (390, 844, True)]
RUN = "0" * 32
NAMES = ("bu3dfe", "frgc", "bosphorus", "bu4dfe", "merged", "real-frgc")
ROLES = {"champion": "12", "challenger": "13", "previous": "11"}


def version(number: str, fused: float) -> dict[str, Any]:
    known = {"version": number, "run_id": RUN, "eer": 0.0412, "lost_probes": 2.0, "missing": []}
    return {
        **known,
        "fused": fused,
        "fused_low": fused - 0.03,
        "fused_high": fused + 0.02,
        "x": 0.7,
        "y": 0.6,
        "z": 0.8,
    }


def results() -> dict[str, Any]:
    difference = {"low": -0.184, "value": -0.131, "high": -0.08}
    pair = {"difference": difference, "only_first": 210, "only_second": 14, "exact_p": 1e-9, "clustered_p": 1e-9}
    entry = {"data": "simulated Bosphorus (face world)", "protocol": "p", "gallery": 671, "probes": 8738, "failures": 1}
    versions = {role: version(number, 0.8 + 0.02 * place) for place, (role, number) in enumerate(ROLES.items())}
    paired = {f"{role}-champion": pair for role in ROLES if role != "champion"}
    return {
        "model": "recognizer",
        "profile": "demo",
        "run_id": RUN,
        "versions": {role: {"version": number, "sha256": "s"} for role, number in ROLES.items()},
        "absent": {"previous": "recognizer version 9 is not what was registered: do not serve it"},
        "refused": {"real-bu3dfe": "its licence is not known: `trinormal data add` it again with --licence"},
        "benchmarks": {name: {**entry, "run_id": RUN, "versions": versions, "paired": paired} for name in NAMES},
    }


def night() -> dict[str, Any]:
    drop = {"reference": "version 11, night of 2026-11-19", "low": -0.18, "high": -0.1, "difference": -0.13}
    figures = {"mmd2": 0.0123, "mmd_p": 0.0005, "auc": 0.91, "classifier_p": 1e-8, "adjusted_p": 4e-8}
    drift = {"about": "visitors", "snapshot": "f" * 64, "against": "face world (demo)", "missing": [], "drifted": True}
    none = {**drift, "snapshot": "e" * 64, "figures": {}, "missing": ["drift needs two people"], "drifted": False}
    snapshot = {"id": "f" * 64, "name": "visitors of november", "kind": "photo", "files": 812, "page": ""}
    fused = dict.fromkeys(NAMES, 0.93)
    return {
        "model": "recognizer",
        "when": "2026-11-25T02:30:00+00:00",
        "run_id": RUN,
        "version": "12",
        "retrain": True,
        "drops": {name: {**drop, "p": 1e-9, "adjusted_p": 5e-9, "worse": name != "frgc"} for name in NAMES},
        "checked": [
            {**snapshot, "passed": True, "reason": ""},
            {
                **snapshot,
                "passed": False,
                "reason": "manifest: path is listed once: 3 of 812 rows (a.png, b.png, c.png)",
            },
        ],
        "drifts": [{**drift, "figures": {"coefficients": figures, "embeddings": figures}}, none],
        "nights": [
            {"when": f"2026-11-{day}T02:30:00+00:00", "run_id": RUN, "version": "11", "fused": fused, "regressed": []}
            for day in range(10, 26)
        ],
    }


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found, told = results(), night()
    sections = night_sections(told) + benchmark_sections(found)
    path = tmp_path_factory.mktemp("page") / "nightly.html"
    path.write_text(page_of("recognizer, night of 2026-11-25", found, sections, chips_of(told), {"night": RUN}))
    return path


@pytest.mark.parametrize(("width", "height", "phone"), SIZES)
def test_it_draws_both_charts_without_any_network_and_fits(browser: Browser, page: Path, width, height, phone):
    browser.open(page, width, height, phone)
    shown = browser.shown()
    assert (shown.requests, shown.errors) == ([], [])
    drawn = "[...document.querySelectorAll('.js-plotly-plot .main-svg')].map(e => e.closest('.js-plotly-plot').id)"
    assert set(browser.value(drawn)) == {"chart-benchmarks", "chart-nights"}
    assert browser.value("document.documentElement.scrollWidth") <= width
    too_wide = """[...document.querySelectorAll('main > *, header *, .card')]
        .filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80))"""
    assert browser.value(too_wide) == []
    smallest = """Math.min(...[...document.querySelectorAll('p, td, small, li')]
        .map(e => parseFloat(getComputedStyle(e).fontSize)))"""
    assert browser.value(smallest) >= 12


def test_no_row_of_a_table_on_a_phone_is_taller_than_a_thumb_or_two(browser: Browser, page: Path):
    browser.open(page, 390, 844, phone=True)
    tallest = "Math.max(...[...document.querySelectorAll('tr')].map(e => e.getBoundingClientRect().height))"
    assert browser.value(tallest) <= 160


def test_the_links_on_top_lead_to_sections_that_are_there_and_the_alarm_is_seen_first(browser: Browser, page: Path):
    browser.open(page, 390, 844, phone=True)
    missing = "[...document.querySelectorAll('nav a')].map(a => a.hash).filter(h => !document.querySelector(h))"
    assert browser.value(missing) == []
    assert browser.value("document.querySelector('.chip.bad').textContent") == "regressed"
    assert browser.value("document.querySelector('.chip.bad').getBoundingClientRect().bottom") < 844
