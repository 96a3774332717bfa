"""`trinormal plan`: what a job would take, before anybody pays for it."""

from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from infra.profiles import Profile, load_profile
from infra.settings import load_settings

console = Console()
PAPERS_PHOTOS = 3_310_000


def plan(
    profile: Annotated[str, typer.Option(help="tiny, demo, standard, paper, or your own .toml file.")] = "paper",
    photos: Annotated[
        int | None, typer.Option(min=1, help="How many photos; empty: VGGFace2's 3.31 M for paper, else the profile's.")
    ] = None,
    gpu_tflops: Annotated[float, typer.Option(min=0.1, help="What a GPU sustains, in TFLOP/s (assumed).")] = 50.0,
    measure: Annotated[bool, typer.Option("--measure", help="Measure again, though rates are kept.")] = False,
) -> None:
    """Shards, bytes, CPU and GPU hours of training on so many photos, from rates measured on this machine."""
    chosen = load_profile(profile)
    count = photos or (
        PAPERS_PHOTOS if chosen.name == "paper" else chosen.photos.people * chosen.photos.photos_per_person
    )
    _show(chosen, count, gpu_tflops, measure)


def _show(profile: Profile, photos: int, gpu_tflops: float, anew: bool) -> None:
    from tasks.kept_rates import rates_of
    from tasks.plan import limits
    from tasks.plan import plan as planned

    kept = rates_of(load_settings(), profile, anew)
    costs = planned(profile, photos, kept.rates, gpu_tflops)
    shown = Table(title=f"{profile.name}: {photos:,} photos", box=box.SIMPLE, pad_edge=False, collapse_padding=True)
    for column in ("stage", "items", "shards", "items/s a core", "GB", "core hours", "GPU hours"):
        shown.add_column(column, justify="left" if column == "stage" else "right", no_wrap=True)
    for work, rate, size, hours, gpu in costs:
        speed = f"{1 / rate.seconds:,.1f}" if rate.seconds else "-"
        shards = f"{work.shards:,}" if work.shards else "-"
        shown.add_row(work.stage, f"{work.items:,}", shards, speed, _few(size), _few(hours), _few(gpu))
    shown.add_section()
    sums = (sum(getattr(cost, name) for cost in costs) for name in ("size_gb", "core_hours", "gpu_hours"))
    shown.add_row("all", "", f"{sum(cost.work.shards for cost in costs):,}", "", *map(_few, sums))
    console.print(shown)
    console.print(f"measured {kept.when} on one core of this machine: seconds, bytes and operations of one item")
    console.print(
        f"assumed: {gpu_tflops:g} TFLOP/s sustained by a GPU; photos of the size of the profile's made-up ones"
    )
    for line in limits(costs, photos):
        console.print(f"limit    {line}", soft_wrap=True)


def _few(value: float) -> str:
    return "-" if value == 0 else f"{value:,.0f}" if value >= 100 else f"{value:.2g}"
