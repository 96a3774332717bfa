"""The numbers of a page, each with the MLflow run and the metrics that it says it comes from."""

import re
from collections.abc import Iterator
from html import unescape
from typing import NamedTuple

from registry.tracking import Tracker

SPAN = re.compile(r'<span class="n" data-run="([0-9a-f]+)" data-metric="([^"]+)"[^>]*>([^<]+)</span>')
NUMBER = re.compile(r"(?<![\d.])-?\d+(?:\.\d+)?(?:e-?\d+)?")


class Shown(NamedTuple):
    """One number, or the two of an interval, as a reader sees them."""

    run: str
    metrics: list[str]
    text: str


def shown_numbers(page: str) -> list[Shown]:
    return [Shown(run, unescape(metrics).split(), unescape(text)) for run, metrics, text in SPAN.findall(page)]


def untraced(numbers: list[Shown], tracker: Tracker) -> Iterator[tuple[Shown, object]]:
    """Those that are not in the run that they name, or not what it says there."""
    runs = {run: tracker.client.get_run(run).data.metrics for run in {each.run for each in numbers}}
    for each in numbers:
        told = [runs[each.run].get(metric) for metric in each.metrics]
        if None in told or not _says(each.text, [value for value in told if value is not None]):
            yield each, told


def _says(text: str, values: list[float]) -> bool:
    tokens = text.replace("+", "").split(" to ") if " to " in text else text.replace("+", "").replace(" %", "").split()
    if len(values) == 2 and len(tokens) == 1:  # low-high, both at least 0
        tokens = tokens[0].split("-")
    return len(tokens) == len(values) and all(_is(token, value) for token, value in zip(tokens, values, strict=True))


def _is(token: str, value: float) -> bool:
    if NUMBER.fullmatch(token) is None:
        return False
    decimals = len(token.partition(".")[2])
    forms = {f"{value:.2g}", f"{value:.{decimals}f}", f"{100 * value:.{decimals}f}"}
    return token in forms or f"-{token}" in forms & {"-0", "-0.0"}
