"""What the promotion commands do around the flows: check, run, and tell the outcome on the terminal."""

import getpass
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer
from pydantic import ValidationError
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from flows.parameters import PromoteRequest, RollbackRequest
from flows.servers import start_private_prefect
from infra.files import atomic_write_json
from infra.settings import load_settings
from models.errors import ConfigurationError
from registry.errors import RegistryError
from registry.ledger import Entry
from tasks.wiring import open_workspace

console = Console()
HASH = 12


def run_promote(**asked: Any) -> None:
    """Run the flow in this process and print its verdict; a wrong name is told before a server starts."""
    request = _checked(PromoteRequest, asked)
    _require_known(request.model)
    _require_somebody_to_ask(request)
    wait_for_prefect = start_private_prefect(load_settings().home / "logs")
    from flows.promote import promote

    wait_for_prefect()
    told = promote(request)
    console.print(verdict_table(told["verdict"]))
    _tell(told)
    if not told["promoted"] and not (request.dry_run and told["verdict"]["passed"]):
        raise typer.Exit(1)


def run_rollback(**asked: Any) -> None:
    """Run the flow in this process and say what serves now."""
    request = _checked(RollbackRequest, asked)
    _require_known(request.model)
    wait_for_prefect = start_private_prefect(load_settings().home / "logs")
    from flows.promote import rollback

    wait_for_prefect()
    told = rollback(request)
    _tell(told)
    if not told["promoted"]:
        raise typer.Exit(1)


def run_history(model: str, out: Path | None) -> None:
    """The ledger of a model as a table, or whole as JSON."""
    from registry import ledger

    engine = open_workspace().engine
    _require_known(model)
    length, entries = ledger.verify_chain(engine, model), ledger.history(engine, model)
    if out is not None:
        atomic_write_json(out, [{**entry._asdict(), "created": entry.created.isoformat()} for entry in entries])
    else:
        console.print(history_table(entries))
    state = ledger.champion(engine, model)
    console.print(
        f"{length} entries, the chain holds; champion {state.version or '-'}, previous {state.previous or '-'}"
    )


def verdict_table(verdict: Mapping[str, Any]) -> Table:
    """Every check of a verdict."""
    against = verdict["against"]
    title = f"gate, with version {against} serving" if against else "gate, with nothing serving"
    shown = Table(title=title, box=box.SIMPLE, pad_edge=False, collapse_padding=True)
    for column in ("check", "value", "bound", "verdict"):
        shown.add_column(column, justify="right" if column == "value" else "left")
    for check in verdict["checks"]:
        value = "-" if check["value"] is None else f"{check['value']:.4g}"
        word = "[red]refused[/]" if check["reason"] else "[green]passed[/]"
        shown.add_row(escape(check["metric"]), value, check["bound"], word)
    return shown


def history_table(entries: Sequence[Entry]) -> Table:
    """A line an entry."""
    shown = Table(box=box.SIMPLE, pad_edge=False, collapse_padding=True)
    for column in ("#", "when (UTC)", "what", "version", "epoch", "who", "why"):
        shown.add_column(column, justify="right" if column in ("#", "version", "epoch") else "left")
    for entry in entries:
        why = entry.reason or "; ".join(map(str, entry.decision.get("reasons", ())))
        moment = f"{entry.created:%Y-%m-%d %H:%M}"
        cells = (str(entry.position), moment, entry.action, entry.version, str(entry.epoch), entry.actor, why)
        shown.add_row(*map(escape, cells))
    return shown


def _tell(released: Mapping[str, Any]) -> None:
    console.print(f"{released['name']} version {released['version']} is {released['alias']}")
    for reason in released["reasons"]:
        console.print(f"  {escape(reason)}", soft_wrap=True, highlight=False)
    if released["gallery"] is not None:
        console.print(escape(released["gallery"]), soft_wrap=True, highlight=False)


def _checked(kind: type[Any], asked: Mapping[str, Any]) -> Any:
    """The request by whoever is logged in; raises `ConfigurationError` in one line."""
    try:
        return kind.model_validate({**asked, "actor": _person()})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        if first["loc"] == ("version",):
            told = f"{asked['version']!r} is no number of a version: see `trinormal history {asked['model']}`"
            raise ConfigurationError(told) from None
        raise ConfigurationError(f"{first['loc'][0]}: {first['msg']}") from None


def _require_known(model: str) -> None:
    """Raise `RegistryError` for a name without a ledger, and say which have one."""
    from registry import ledger

    known = ledger.models(open_workspace().engine)
    if model not in known:
        have = f"have {', '.join(known)}" if known else "train one with `trinormal demo`"
        raise RegistryError(f"no model {model!r} in this home: {have}")


def _require_somebody_to_ask(request: PromoteRequest) -> None:
    """Raise `ConfigurationError` where a person would be waited for whom no UI can ask."""
    if request.approval or request.dry_run or "PREFECT_API_URL" in os.environ:
        return
    from registry import ledger
    from registry.candidates import find_candidate

    entries = ledger.history(open_workspace().engine, request.model)
    found = find_candidate(entries, request.model, request.version or ledger.challenger(entries) or "")
    if request.ask or (found is not None and found.needs_approval):
        raise ConfigurationError(
            f"{request.model}: a person has to agree: --approve WHY, or `trinormal serve` and answer in the Prefect UI"
        )


def _person() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a number without a name
        return f"user {os.getuid()}"
