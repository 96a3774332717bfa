"""The commands about classifiers: what is asked for is checked before any server starts."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from models.errors import ConfigurationError, DataError

ProfileOption = Annotated[str, typer.Option(help="tiny, demo, standard, paper, or your own .toml file.")]
console = Console()


def train_classifiers(
    profile: ProfileOption = "demo",
    kdef: Annotated[Path | None, typer.Option(help="Folder of KDEF instead of a simulated one.")] = None,
    fei: Annotated[Path | None, typer.Option(help="Folder of FEI instead of a simulated one.")] = None,
    genders: Annotated[Path | None, typer.Option(help="CSV subject,gender for FEI, which publishes none.")] = None,
    photos: Annotated[
        Path | None, typer.Option(help="Your own photos, a sub-folder a person: tell these people apart.")
    ] = None,
    reconstructors: Annotated[str, typer.Option(help="For your own photos: names with commas between.")] = "landmarks",
    licence: Annotated[
        str | None, typer.Option(help="Licence of the photos (SPDX name); else the data sets' own, or unknown.")
    ] = None,
) -> None:
    """Classifiers of individuals, gender and expression on coefficients, beside image and linear baselines."""
    from flows.parameters import ClassifiersRequest, OwnClassifierRequest

    if photos is not None:
        if kdef or fei or genders:
            raise ConfigurationError("--photos stands alone: leave out --kdef, --fei and --genders")
        _train_own(
            OwnClassifierRequest(
                photos=photos, profile=profile, reconstructors=reconstructors, licence=licence or "unknown"
            )
        )
        return
    _train(ClassifiersRequest(profile=profile, kdef=kdef, fei=fei, genders=genders, licence=licence))


def classify(
    photos: Annotated[list[Path], typer.Argument(help="Photos, or folders of photos.")],
    task: Annotated[str, typer.Option(help="gender, expression or individual.")],
    person: Annotated[bool, typer.Option("--person", help="All photos show one person: one answer.")] = False,
    model: Annotated[str, typer.Option(help="Registered model, where it is not called as its task.")] = "",
    version: Annotated[str, typer.Option(help="A number or @alias, champion or not; without it the champion.")] = "",
) -> None:
    """What the champion for a task says of photos; what fails is listed with its reason."""
    from tasks.classify import classify_photos

    answered = classify_photos(photos, task, person, model or task, version)
    for each in answered.answers:
        ranked = sorted(each.probabilities.items(), key=lambda item: -item[1])
        shares = ", ".join(f"{label} {share:.3f}" for label, share in ranked[:3])
        name = f"{len(each.photos)} photos" if person else each.photos[0]
        console.print(f"{name}: {ranked[0][0]}   ({shares})", soft_wrap=True, highlight=False)
    for failure in answered.failures:
        reason = failure.reason.removeprefix(f"{failure.path}: ")
        console.print(f"{failure.path}: failed, {reason}", soft_wrap=True, highlight=False)
    if not answered.answers:
        raise DataError(f"none of {len(answered.failures)} photos shows a face that can be classified: see above")
    console.print(f"by {answered.model} version {answered.version}", highlight=False)


def join(app: typer.Typer) -> None:
    """Add the commands to `trinormal`."""
    app.command("train-classifiers")(train_classifiers)
    app.command()(classify)


def _train(request: Any) -> None:
    from flows.known import require_collections
    from flows.servers import start_private_prefect
    from infra.profiles import load_profile
    from infra.settings import load_settings

    profile = load_profile(request.profile)
    require_collections(request)
    wait_for_prefect = start_private_prefect(load_settings().home / "logs")
    from flows.classifiers import output_folder, train_classifiers

    wait_for_prefect()
    _tell(train_classifiers(request), output_folder(request.kdef, profile))


def _train_own(request: Any) -> None:
    from flows.servers import start_private_prefect
    from infra.profiles import load_profile
    from infra.settings import load_settings
    from models.readers.folder import index_photos

    load_profile(request.profile)
    index_photos(request.photos)  # a wrong folder is told before the servers start
    wait_for_prefect = start_private_prefect(load_settings().home / "logs")
    from flows.own_classifier import output_folder, train_own_classifier
    from tasks.stored import stored_variant

    for name in request.reconstructors.split(","):
        stored_variant(name)
    wait_for_prefect()
    _tell(train_own_classifier(request), output_folder(request))


def _tell(results: dict[str, Any], folder: Path) -> None:
    """A table an experiment, and where everything is."""
    from rich import box
    from rich.table import Table

    from tasks.classifier_report import HEADER, NARROW, table_of

    for experiment, found in results["tasks"].items():
        shown = Table(title=experiment, box=box.SIMPLE, pad_edge=False, collapse_padding=True)
        for place in NARROW:
            shown.add_column(HEADER[place], justify="left" if place == 0 else "right", no_wrap=True)
        for row in table_of(found):
            shown.add_row(*(row[place] for place in NARROW))
        console.print(shown)
    for each in results["registered"]:
        console.print(f"{each['name']} version {each['version']} is {each['alias']}")
        for reason in each["reasons"]:
            console.print(f"  not promoted: {reason}")
    console.print(f"report   {folder / 'classifiers.html'}", soft_wrap=True)
    console.print(f"results  {folder / 'classifiers.json'}", soft_wrap=True)
