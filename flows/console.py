"""What the commands do around a flow: prepare, run, and tell the outcome on the terminal."""

from pathlib import Path
from typing import Any

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from flows.known import require_known, require_trainable
from flows.parameters import CoefficientsRequest, CompareRequest, ReconstructorRequest, TrainRequest
from flows.servers import start_private_prefect
from infra.profiles import load_profile
from infra.settings import load_settings
from models.readers.folder import index_photos

console = Console()
VARIANTS = ("baseline", "ce", "lmcl")


def run_training(request: TrainRequest) -> None:
    """Run the training flow in this process and print its table."""
    load_profile(request.profile)
    if request.photos is not None:
        index_photos(request.photos)  # a wrong folder is told before the servers start
    wait_for_prefect = start_private_prefect(load_settings().home / "logs")
    from flows.recognizer import output_folder, train_recognizer

    wait_for_prefect()
    print_results(train_recognizer(request), output_folder(request.photos, load_profile(request.profile)))


def print_results(results: dict[str, Any], folder: Path) -> None:
    """The summary table, and where everything is."""
    ((name, benchmark),) = results["benchmarks"].items()
    table = Table(title=f"rank-1 on {benchmark['data']}: {benchmark['gallery']} people, {benchmark['probes']} probes")
    for column in ("variant", "Nx", "Ny", "Nz", "fused"):
        table.add_column(column, justify="left" if column == "variant" else "right")
    for variant in VARIANTS:
        row = benchmark[variant]
        table.add_row(variant, *(f"{100 * row[axis]:.1f} %" for axis in ("x", "y", "z", "fused")))
    console.print(table)
    registered = results["registered"]
    console.print(f"{name}: {benchmark['failures']} scans could not be encoded (counted as misses)")
    console.print(f"{registered['name']} version {registered['version']} is {registered['alias']}")
    for reason in results["refused_because"]:
        console.print(f"  not promoted: {reason}")
    console.print(f"report   {folder / 'report.html'}", soft_wrap=True)
    console.print(f"results  {folder / 'results.json'}", soft_wrap=True)
    console.print("UIs      trinormal up   (starts Prefect and MLflow, and says where)")


def run_comparison(request: CompareRequest) -> None:
    """Run the comparison in this process and print its table."""
    profile = load_profile(request.profile)
    require_known(request.reconstructors.split(","))
    if request.photos is not None:
        index_photos(request.photos)
    wait_for_prefect = start_private_prefect(load_settings().home / "logs")
    from flows.compare import compare_reconstructors
    from flows.recognizer import output_folder
    from tasks.comparison import NARROW, table

    wait_for_prefect()
    results = compare_reconstructors(request)
    header, *rows = ([row[place] for place in NARROW] for row in table(results))
    title = f"rank-1 on {results['data']}: {results['gallery']} people, {results['probes']} probes"
    shown = Table(title=title, box=box.SIMPLE, pad_edge=False, collapse_padding=True)
    for column in header:
        shown.add_column(column, justify="left" if column == header[0] else "right", no_wrap=True)
    for row in rows:
        shown.add_row(*row)
    console.print(shown)
    folder = output_folder(request.photos, profile)
    console.print(f"report   {folder / 'compare.html'}", soft_wrap=True)
    console.print(f"results  {folder / 'compare.json'}", soft_wrap=True)


def run_reconstructor_training(request: ReconstructorRequest) -> None:
    """Train one reconstructor in this process and print its errors."""
    load_profile(request.profile)
    require_trainable(request)
    wait_for_prefect = start_private_prefect(load_settings().home / "logs")
    from flows.reconstructor import train_reconstructor

    wait_for_prefect()
    results = train_reconstructor(request)
    rows = results["heldout"]
    shown = Table(title=f"{results['trained']} ({results['profile']}) on people it never saw")
    shown.add_column("figure")
    for _ in rows:
        shown.add_column("value", justify="right")
    for name in rows[0]:
        shown.add_row(name, *(row[name] if isinstance(row[name], str) else f"{row[name]:.4g}" for row in rows))
    console.print(shown)


def run_coefficients(request: CoefficientsRequest) -> None:
    """Write the table in this process and say what is in it."""
    index_photos(request.photos)
    wait_for_prefect = start_private_prefect(load_settings().home / "logs")
    from flows.coefficients import coefficients
    from tasks.stored import stored_variant

    stored_variant(request.reconstructor, request.folder)
    wait_for_prefect()
    written = coefficients(request)
    console.print(f"{written.faces} faces, {written.failures} failures in {request.out}", soft_wrap=True)
    if written.auc is not None:
        console.print(f"identities tell pairs of one person from pairs of two with an area of {written.auc:.3f}")


def run_reconstruct(photos: Path, out: Path, reconstructor: str, folder: Path | None, augment: int) -> None:
    """Reconstruct photos and say how many and where."""
    from tasks.reconstruct import reconstruct_photos

    done = reconstruct_photos(photos, out, reconstructor, folder, augment)
    console.print(f"{done.faces} faces in {out} (faces.csv lists them), by {done.network}", soft_wrap=True)
    console.print(f"{len(done.failures)} failures" + (" (failures.csv says why)" if done.failures else ""))


def run_encode(scan: Path, out: Path, model: str | None) -> None:
    """Encode one scan and say what cleaning found; with `model` write a request to its champion too."""
    from tasks.encode import encode_scan

    shown = Table(title=scan.name, box=box.SIMPLE)
    shown.add_column("step")
    shown.add_column("what it did")
    for step, done in encode_scan(scan, out).told().items():
        shown.add_row(step, done)
    console.print(shown)
    console.print(f"range image and Nx, Ny, Nz in {out} (sheet.png shows all)", soft_wrap=True)
    if model is not None:
        from tasks.request import write_request

        write_request(scan, model, out)
        console.print(f"{out / 'request.json'}: what `trinormal serve-model {model}` answers", soft_wrap=True)


def run_setup() -> None:
    """Fetch the face networks and say where they are."""
    from tasks.setup import fetch_face_nets

    for name, path in fetch_face_nets().items():
        console.print(f"{name}: {path}", soft_wrap=True)


def run_doctor(basel: Path | None) -> None:
    """Print every finding; exit code 1 when something has to be mended."""
    from tasks.doctor import examine

    findings = examine(load_settings(), basel)
    shown = Table(box=box.SIMPLE, pad_edge=False, show_header=False)
    for finding in findings:
        colour = {"ok": "green", "warning": "yellow", "wrong": "red"}[finding.state]
        told = f"{finding.seen}: {finding.advice}" if finding.advice else finding.seen
        shown.add_row(f"[{colour}]{finding.state}[/]", escape(finding.what), escape(told))
    console.print(shown)
    if any(finding.state == "wrong" for finding in findings):
        raise typer.Exit(1)
