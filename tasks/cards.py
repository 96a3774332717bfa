"""The model card: what the model is, what it was made from, how it was measured, where it ends."""

from collections.abc import Mapping
from importlib.resources import files

from jinja2 import Environment, StrictUndefined

from tasks.evaluate import BenchmarkResult


def model_card(result: BenchmarkResult, variant: str, licences: Mapping[str, str], parity_max_abs: float) -> str:
    """Markdown; every figure comes from `result`."""
    text = files("tasks").joinpath("templates/model_card.md.j2").read_text(encoding="utf-8")
    template = Environment(undefined=StrictUndefined, autoescape=False, trim_blocks=True).from_string(text)  # noqa: S701 - Markdown
    return template.render(
        result=result, variant=variant, scores=result.scores, licences=licences, parity=parity_max_abs
    )
