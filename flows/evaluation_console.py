"""Evaluations and nights as tables on the terminal."""

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.markup import escape
from rich.table import Table

from flows.console import console

COLUMNS = ("benchmark", "version", "fused", "interval", "Nx", "Ny", "Nz", "people", "probes", "lost")


def print_evaluation(results: Mapping[str, Any]) -> None:
    """Every version on every benchmark, what was left out, and where the page is."""
    shown = Table(title=f"rank-1 of {results['model']} ({results['profile']})", box=box.SIMPLE, pad_edge=False)
    for column in COLUMNS:
        shown.add_column(column, justify="left" if column in COLUMNS[:2] else "right", no_wrap=True)
    for name, entry in results["benchmarks"].items():
        for role, one in entry["versions"].items():
            axes = (f"{100 * one[axis]:.1f}" for axis in "xyz")
            interval = f"{100 * one['fused_low']:.1f}-{100 * one['fused_high']:.1f}"
            counts = (str(entry["gallery"]), str(entry["probes"]), f"{one['lost_probes']:.0f}")
            shown.add_row(name, f"{one['version']} {role}", f"{100 * one['fused']:.1f}", interval, *axes, *counts)
    console.print(shown)
    for name, reason in {**results["absent"], **results["refused"]}.items():
        console.print(f"  left out: {escape(name)}: {escape(reason)}", soft_wrap=True)
    for name, entry in results["benchmarks"].items():
        for pair, found in entry["paired"].items():
            difference = found["difference"]
            interval = f"{100 * difference['low']:+.1f} to {100 * difference['high']:+.1f}"
            told = f"{100 * difference['value']:+.1f} points ({interval}), p {found['clustered_p']:.2g}"
            console.print(f"  {name}, {pair}: {told}", soft_wrap=True)
    console.print(f"page     {results['page']}", soft_wrap=True)
    console.print(f"run      {results['run_id']} in MLflow", soft_wrap=True)


def print_night(told: Mapping[str, Any]) -> None:
    """What to know first, the champion against its references, drift, and where the page is."""
    from tasks.night_page import chips_of

    for chip in chips_of(told):
        console.print(f"[{'green' if chip.good else 'red'}]{chip.word}[/]  {escape(chip.told)}", soft_wrap=True)
    for name, drop in told["drops"].items():
        interval = f"{100 * drop['low']:+.1f} to {100 * drop['high']:+.1f}"
        numbers = f"{100 * drop['difference']:+.1f} points ({interval}), p {drop['adjusted_p']:.2g}"
        console.print(f"  {name}: {numbers}, against {escape(drop['reference'])}", soft_wrap=True)
    for drift in told["drifts"]:
        for kind, one in drift["figures"].items():
            numbers = f"MMD p {one['mmd_p']:.2g}, corrected {one['adjusted_p']:.2g}"
            console.print(f"  {escape(drift['about'])}, {kind}: {numbers}", soft_wrap=True)
    console.print(f"page     {told['page']}", soft_wrap=True)
    console.print(f"run      {told['run_id']} in MLflow", soft_wrap=True)
