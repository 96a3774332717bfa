"""What `trinormal data` does around the flow and the catalogue: prepare, run or ask, and tell."""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from rich.console import Console

from flows.parameters import IngestRequest
from flows.servers import start_private_prefect
from infra.settings import load_settings
from models.errors import ConfigurationError, ValidationFailed
from tasks.sources import open_source

console = Console()
SHOWN = 10


def run_add(**asked: Any) -> None:
    """Run the flow in this process and say what was listed; a wrong name or folder is told before a server starts."""
    try:
        request = IngestRequest.model_validate(asked)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise ConfigurationError(f"{first['loc'][0]}: {first['msg']}") from None
    open_source(request.data_set, request.folder, request.labels)
    wait_for_prefect = start_private_prefect(load_settings().home / "logs")
    from flows.ingest import ingest

    wait_for_prefect()
    added = ingest(request)
    from flows.data_tables import print_totals

    print_totals(console, added.snapshot, new=added.new)


def run_list(as_json: bool) -> None:
    """Every snapshot, a line each."""
    from flows.data_tables import print_list
    from registry.catalogue import list_snapshots
    from registry.contents import totals
    from tasks.overview import snapshot_data
    from tasks.wiring import open_workspace

    engine = open_workspace().engine
    listed = [snapshot_data(snapshot, totals(engine, snapshot.id)) for snapshot in list_snapshots(engine)]
    if as_json:
        _print_json(listed)
    else:
        print_list(console, listed)


def run_show(word: str, as_json: bool) -> None:
    """One snapshot: counts, failures, coverage, protocols, guards."""
    from flows.data_tables import print_overview
    from tasks.overview import overview, pick_snapshot
    from tasks.wiring import open_workspace

    engine = open_workspace().engine
    seen = overview(engine, pick_snapshot(engine, word))
    if as_json:
        _print_json(seen.as_data())
    else:
        print_overview(console, seen)


def run_diff(before: str, after: str, as_json: bool) -> None:
    """What changed between two snapshots: the counts, and the files (all of them as JSON, one a line)."""
    from flows.data_tables import print_differences
    from registry.differences import Difference
    from tasks.overview import changes, pick_snapshot
    from tasks.wiring import open_workspace

    engine = open_workspace().engine
    pair = pick_snapshot(engine, before), pick_snapshot(engine, after)
    if as_json:
        for each in changes(engine, *pair):
            sys.stdout.write(json.dumps(each._asdict(), ensure_ascii=False) + "\n")
        return
    counts: Counter[str] = Counter()
    first: list[Difference] = []
    for each in changes(engine, *pair):
        counts[each.what] += 1
        if counts[each.what] <= SHOWN:
            first.append(each)
    print_differences(console, pair, counts, first)


def run_validate(word: str) -> None:
    """The verdict of the snapshot's suite, and where its page is; raises `ValidationFailed` when it refuses."""
    from tasks.judges import judge
    from tasks.overview import pick_snapshot
    from tasks.wiring import open_workspace

    workspace = open_workspace()
    snapshot = pick_snapshot(workspace.engine, word)
    verdict = judge(workspace, snapshot)
    if not verdict.passed:
        raise ValidationFailed(f"{snapshot.name}: {verdict.reason}; {verdict.page} lists all")
    console.print(f"{snapshot.name} ({snapshot.id[:12]}): passed")
    console.print(f"report   {verdict.page}", soft_wrap=True)


def run_preview(file: Path, out: Path) -> None:
    """Draw one file and say what is on the picture."""
    from tasks.preview import preview
    from tasks.wiring import open_workspace

    told = preview(file, out, open_workspace().settings.assets)
    console.print(f"{file.name}: {told}", soft_wrap=True)
    console.print(f"picture  {out}", soft_wrap=True)


def _print_json(value: object) -> None:
    sys.stdout.write(json.dumps(value, indent=1, ensure_ascii=False) + "\n")
