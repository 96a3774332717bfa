"""The report and the papers' tables in a real browser, as wide as a desk and as narrow as a phone."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from registry.tracking import Tracker
from tasks.tables import write_tables
from tests.browser.chromium import Browser
from tests.flows.conftest import FirstRun, alone_with, unbroken  # noqa: F401 - a fixture
from tests.flows.trinormal_command import results_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
SIZES = [(1280, 900, False), (390, 844, True)]
CHARTS = {"chart-cmc", "chart-gallery-size", "chart-roc", "chart-det"}


@pytest.fixture(scope="module")
def page(unbroken: FirstRun) -> Path:  # noqa: F811
    assert unbroken.code == 0, unbroken.errors
    return unbroken.sandbox.home / "tiny" / "report.html"


@pytest.mark.parametrize(("width", "height", "phone"), SIZES)
def test_the_report_draws_its_charts_without_any_network(browser: Browser, page: Path, width, height, phone):
    browser.open(page, width, height, phone)
    shown = browser.shown()
    assert shown.requests == []
    assert shown.errors == []
    drawn = browser.value(
        "[...document.querySelectorAll('.js-plotly-plot .main-svg')].map(e => e.closest('.js-plotly-plot').id)"
    )
    assert set(drawn) >= CHARTS
    assert any(name.startswith("chart-slices-") for name in drawn)
    assert browser.value("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
    assert browser.value("document.images.length") >= 3


@pytest.mark.parametrize(("width", "height", "phone"), SIZES)
def test_nothing_is_wider_than_the_screen_but_what_scrolls_by_itself(
    browser: Browser, page: Path, width, height, phone
):
    browser.open(page, width, height, phone)
    assert browser.value("document.documentElement.scrollWidth") <= width
    too_wide = """[...document.querySelectorAll('main > *, header *, .card, .pair > div')]
        .filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80))"""
    assert browser.value(too_wide) == []
    spilling = """[...document.querySelectorAll('.main-svg')].filter(e => e.getBoundingClientRect().right >
        e.closest('.pair > div').getBoundingClientRect().right + 1).map(e => e.closest('.js-plotly-plot').id)"""
    assert browser.value(spilling) == []
    smallest = """Math.min(...[...document.querySelectorAll('p, td, small, li')]
        .map(e => parseFloat(getComputedStyle(e).fontSize)))"""
    assert browser.value(smallest) >= 12


def test_the_picture_of_the_page_is_not_empty(browser: Browser, page: Path):
    browser.open(page, 1280, 900)
    picture = cv2.imdecode(np.frombuffer(browser.shown().picture, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape[0] > 2000
    bands = np.array_split(picture, 12)
    assert all(band.std() > 5 for band in bands), "a part of the page is blank"


def test_every_number_of_the_report_names_a_run_that_is_there(browser: Browser, page: Path, unbroken: FirstRun):  # noqa: F811
    browser.open(page, 1280, 900)
    numbers = browser.value("[...document.querySelectorAll('[data-run]')].map(e => [e.textContent, e.dataset.run])")
    assert len(numbers) > 60
    home = unbroken.sandbox.home
    tracker = Tracker(f"sqlite:///{home / 'mlflow' / 'mlflow.db'}", home / "mlflow" / "artifacts")
    runs = {run: tracker.client.get_run(run).data.metrics for run in {run for _, run in numbers}}
    told = {text for text, _ in numbers}
    parent = next(metrics for metrics in runs.values() if "bu3dfe.lmcl.fused" in metrics)
    for name in ("lmcl.fused", "baseline.fused", "lmcl.x", "ce.fused"):
        assert f"{100 * parent[f'bu3dfe.{name}']:.1f} %" in told
    assert f"{100 * parent['bu3dfe.lmcl.eer']:.2f} %" in told
    naked = browser.value("""[...document.querySelectorAll('#rank1 ~ .scroll td')].slice(0, 18)
        .filter(e => /[0-9]/.test(e.textContent) && !e.querySelector('[data-run]')).map(e => e.textContent)""")
    assert all(re.fullmatch(r"[0-9.]+ %", text) for text in naked)  # the paper's own figures, which no run has
    assert len(naked) <= 3


def test_the_headline_is_the_result_of_the_job(browser: Browser, page: Path, unbroken: FirstRun):  # noqa: F811
    browser.open(page, 390, 844, phone=True)
    fused = results_of(unbroken.sandbox.home)["benchmarks"]["bu3dfe"]["lmcl"]["fused"]
    assert browser.value("document.querySelector('.card.main b').textContent") == f"{100 * fused:.1f} %"
    assert browser.value("document.querySelector('.card.main').getBoundingClientRect().bottom") < 844


@pytest.mark.parametrize(("width", "height", "phone"), SIZES)
def test_the_papers_tables_fit_both_screens(browser: Browser, unbroken: FirstRun, tmp_path, width, height, phone):  # noqa: F811
    home = unbroken.sandbox.home
    tracker = Tracker(f"sqlite:///{home / 'mlflow' / 'mlflow.db'}", home / "mlflow" / "artifacts")
    with alone_with(unbroken):
        write_tables(tmp_path, tracker)
    browser.open(tmp_path / "tables.html", width, height, phone)
    shown = browser.shown()
    assert (shown.requests, shown.errors) == ([], [])
    assert browser.value("document.documentElement.scrollWidth") <= width
    assert browser.value("document.querySelectorAll('section').length") == 13
    assert browser.value("document.querySelectorAll('#A1 td.ours').length") == 8
