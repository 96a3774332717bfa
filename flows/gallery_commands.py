"""The commands about people: enrol them, ask who somebody is, check a claim, forget."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from models.errors import ConfigurationError

if TYPE_CHECKING:
    from tasks.gallery_desk import Outcome, Told

Files = Annotated[list[Path], typer.Argument(help="Scans or photos, or folders of them.")]
NameOption = Annotated[str, typer.Option("--as", help="The person's name.")]
ModelOption = Annotated[str, typer.Option(help="Name of the registered model.")]
ThresholdOption = Annotated[
    float | None, typer.Option(help="Largest distance that counts; else the one set on the model's development people.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print everything as JSON.")]
console = Console()
NO, MANY = 1, 5


def enrol(
    files: Files,
    name: Annotated[str | None, typer.Option("--as", help="The person's name.")] = None,
    people: Annotated[bool, typer.Option("--people", help="The folders hold a sub-folder for each person.")] = False,
    discard_samples: Annotated[
        bool, typer.Option("--discard-samples", help="Keep templates only: a later champion needs a new enrolment.")
    ] = False,
    model: ModelOption = "recognizer",
    as_json: JsonOption = False,
) -> None:
    """Enrol a person by scans or photos; exit code 1 when none of the files could be acquired."""
    if (name is None) != people:
        raise ConfigurationError("say whose faces these are: either --as NAME, or --people for folders of people")
    from registry.gallery_seals import plain_name
    from tasks import gallery
    from tasks.acquire import list_inputs

    inputs = list_inputs(files, None if name is None else plain_name(name), people=people)
    done = gallery.enrol(inputs, model, keep=not discard_samples)
    if as_json:
        _print_json(done)
    else:
        for each in done.enrolled:
            _say(f"{each.path}: {each.name}" + ("" if each.new else "   (enrolled before)"))
        _tell_rest(done, f"{sum(each.new for each in done.enrolled)} of {len(inputs)} files enrolled")
    if not done.enrolled:
        raise typer.Exit(NO)


def identify(
    files: Files,
    most: Annotated[int, typer.Option(min=1, help="How many likely people to name.")] = MANY,
    threshold: ThresholdOption = None,
    model: ModelOption = "recognizer",
    as_json: JsonOption = False,
) -> None:
    """Who is that? The nearest enrolled people of each file, and nobody where all are beyond the threshold."""
    from tasks import gallery
    from tasks.acquire import list_inputs

    inputs = list_inputs(files)
    done = gallery.identify(inputs, model, most, threshold)
    if as_json:
        _print_json(done)
        return
    for each in done.told:
        _say(f"{each.path}: {_decided(each)}   ({_nearest(each)})")
    _tell_rest(done, f"{len(done.told)} of {len(inputs)} files searched")


def verify(
    file: Annotated[Path, typer.Argument(help="A scan or a photo.")],
    name: NameOption,
    threshold: ThresholdOption = None,
    model: ModelOption = "recognizer",
    as_json: JsonOption = False,
) -> None:
    """Is that really NAME? Exit code 0 when the file shows that person, 1 when it does not or nobody can say."""
    from tasks import gallery
    from tasks.acquire import list_inputs

    source, *others = list_inputs([file])
    if others:
        raise ConfigurationError(f"{file}: one scan or photo is verified at a time: name a file")
    done = gallery.verify(source, name, model, threshold)
    if as_json:
        _print_json(done)
    else:
        for each in done.told:
            _say(f"{each.path}: {_verdict(each)}   ({_nearest(each)})")
        _tell_rest(done, f"{len(done.told)} of 1 file compared")
    if not any(each.decision for each in done.told):
        raise typer.Exit(NO)


def forget(
    person: Annotated[str, typer.Argument(help="The name in the gallery, or the subject as data sets name them.")],
    data_set: Annotated[str | None, typer.Option(help="Where several data sets know somebody of that name.")] = None,
    outside: Annotated[bool, typer.Option("--outside", help="Delete their files outside the home folder too.")] = False,
    gallery_only: Annotated[
        bool, typer.Option("--gallery-only", help="Only undo enrolments: destroy key, samples and templates.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be erased.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Erase a person from gallery, data, everything derived, catalogue, MLflow, caches and logs; safe to repeat."""
    if gallery_only:
        if outside or dry_run or data_set is not None:
            raise ConfigurationError("--gallery-only destroys a key and nothing else: leave the other options out")
        told = _forget_in_gallery(person)
    else:
        from tasks.erase import erase_person

        told = erase_person(person, data_set, outside=outside, dry_run=dry_run)
    if as_json:
        typer.echo(json.dumps(told, indent=1))
    else:
        _tell_erasure(told)


def people(
    reissue: Annotated[
        str | None, typer.Option(help="Give this person a new key and new templates; the old ones are worthless then.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Who is enrolled."""
    from tasks import gallery

    if reissue is not None:
        gallery.reissue(reissue)
    found = gallery.enrolled_people()
    if as_json:
        typer.echo(json.dumps([{**each._asdict(), "created": each.created.isoformat()} for each in found], indent=1))
        return
    for each in found:
        _say(f"{each.name}   {each.samples} samples, issue {each.issue}, since {each.created:%Y-%m-%d}")
    _say(f"{len(found)} people enrolled")


def join(app: typer.Typer) -> None:
    """Add the commands to `trinormal`."""
    for command in (enrol, identify, verify, forget):
        app.command()(command)
    app.command("gallery")(people)


def _forget_in_gallery(person: str) -> dict[str, Any]:
    """As `erase_person` tells it."""
    from tasks import gallery

    gone = gallery.forget(person)
    counts = {"keys_destroyed": 1} if gone else {}
    return {"erasure": None, "done": gone, "counts": counts, "files_outside": [], "models": []}


def _tell_erasure(told: dict[str, Any]) -> None:
    if told["done"]:
        _say("forgotten" + (f" (record {told['erasure']}):" if told["erasure"] else ":"))
    elif told["counts"]:
        _say("would be erased:")
    else:
        _say("nobody of that name is in any data set or in the gallery: `trinormal gallery` lists who is enrolled")
    for name, number in told["counts"].items():
        _say(f"  {name.replace('_', ' ')}: {number}")
    for path in told["files_outside"]:
        _say(f"  left, outside the home folder: {path}   (--outside deletes it)")
    for path in told.get("namesakes", []):
        _say(f"  says the same name, of somebody else: {path}")
    for each in told["models"]:
        _say(f"  trained on this person: {each['model']} version {each['version']}" + (" (serves)" * each["serves"]))


def _decided(told: "Told") -> str:
    if told.threshold is None:
        return "undecided"
    return told.decision or "nobody"


def _verdict(told: "Told") -> str:
    if told.threshold is None:
        return "undecided"
    return "yes" if told.decision else "no"


def _nearest(told: "Told") -> str:
    ranked = ", ".join(f"{each.name} {each.distance:.3f}" for each in told.ranked)
    if told.threshold is None:
        return f"{ranked}; no threshold for these: give --threshold"
    return f"{ranked}; threshold {told.threshold.distance:.3f}"


def _tell_rest(done: "Outcome", summary: str) -> None:
    for failure in done.failures:
        _say(f"{failure.path}: failure to acquire, {failure.reason}")
    _say(f"{summary}, {len(done.failures)} failures to acquire; by {done.model} version {done.version}")
    if done.renewed:
        _say(f"{done.renewed} enrolled samples were embedded anew for this version first")
    if done.not_embedded:
        _say(f"{done.not_embedded} enrolled samples give this version nothing: enrol those people anew")
    if done.waiting:
        _say(f"{done.waiting} enrolled photos wait for this version's reconstructor, which is not in this home")


def _print_json(done: "Outcome") -> None:
    typer.echo(json.dumps(_plain(asdict(done)), indent=1))


def _plain(value: Any) -> Any:
    """Named tuples as objects, so that a program reads names and not places."""
    if hasattr(value, "_asdict"):
        return _plain(value._asdict())
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(each) for each in value]
    return value


def _say(line: str) -> None:
    console.print(line, soft_wrap=True, highlight=False, markup=False)
