"""A verdict of the gate for people to read."""

from registry.gates import Check
from registry.promotion import Judged


def as_markdown(judged: Judged) -> str:
    """Every check with its value, its bound and what it came to; then everything that speaks against the candidate."""
    candidate = judged.candidate
    verdict = "passed" if judged.decision.passed else "refused"
    against = f"version {judged.champion.version}" if judged.champion.version else "nothing"
    lines = [
        f"{candidate.model} version {candidate.version}: **{verdict}** while {against} serves.",
        "",
        "| check | value | bound | verdict |",
        "| --- | --- | --- | --- |",
        *(f"| {' | '.join(row(check))} |" for check in judged.decision.checks),
        "",
        *(f"- {reason}" for reason in judged.decision.reasons),
    ]
    return "\n".join(lines)


def row(check: Check) -> tuple[str, str, str, str]:
    """Name, value, bound and verdict of one check."""
    value = "-" if check.value is None else f"{check.value:.4g}"
    return check.metric, value, check.bound, "refused" if check.reason else "passed"
