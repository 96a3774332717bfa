"""Snapshots on a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from registry.contents import totals
from registry.differences import WHATS, Difference
from registry.manifest import Snapshot
from tasks.overview import Overview
from tasks.wiring import open_workspace

ID, SHOWN = 12, 10


def print_totals(console: Console, snapshot: Snapshot, new: bool) -> None:
    """What `data add` has listed."""
    counted = totals(open_workspace().engine, snapshot.id)
    what = f"{counted.files} {snapshot.kind}s of {counted.people} people"
    nobodys = f", {counted.nobodys} of nobody known" if counted.nobodys else ""
    aside = f"{counted.quarantined} set aside" + (" (data show says why)" if counted.quarantined else "")
    _say(console, f"{snapshot.name}: {what}{nobodys}; {aside}; licence {snapshot.licence}")
    _say(console, f"snapshot {snapshot.id[:ID]} " + ("added" if new else "was there already: nothing has changed"))


def print_list(console: Console, listed: Sequence[Mapping[str, Any]]) -> None:
    """A line for each snapshot."""
    if not listed:
        _say(console, "no snapshot yet: trinormal data add DATASET FOLDER")
        return
    table = Table(box=box.SIMPLE, pad_edge=False, collapse_padding=True)
    for column in ("id", "name", "data set", "files", "people", "aside", "licence", "added"):
        table.add_column(column, justify="right" if column in ("files", "people", "aside") else "left")
    for each in listed:
        numbers = (each["files"], each["people"], each["quarantined"])
        words = (each["id"][:ID], each["name"], each["data_set"] or each["kind"])
        cells = (*words, *map(str, numbers), each["licence"], (each["created"] or "")[:10])
        table.add_row(*map(escape, cells))
    console.print(table)


def print_overview(console: Console, seen: Overview) -> None:
    """What `data show` tells; of long lists the beginning, all is in its JSON."""
    snapshot, counted = seen.snapshot, seen.totals
    _say(console, f"{snapshot.name}  {snapshot.id}")
    _say(
        console,
        f"{snapshot.data_set or 'no data set'} at {snapshot.source}, {snapshot.kind}s, licence {snapshot.licence}",
    )
    _say(
        console,
        f"{counted.files} files, {counted.usable} usable, {counted.quarantined} set aside, "
        f"{counted.size_bytes / 1e6:.1f} MB, {counted.people} people, {counted.nobodys} files of nobody known",
    )
    for name, counts in seen.counts.items():
        if set(counts) - {None} and name != "licence":
            _say(console, f"  by {name}: {_counted(counts)}")
    for failure in seen.failures[:SHOWN]:
        _say(console, f"  set aside: {failure.reason if failure.path in failure.reason else ': '.join(failure)}")
    if len(seen.failures) > SHOWN:
        _say(console, f"  set aside: {len(seen.failures) - SHOWN} more")
    _print_standing(console, seen)
    _print_leaks(console, seen)


def print_differences(
    console: Console, pair: tuple[Snapshot, Snapshot], counts: Mapping[str, int], first: Sequence[Difference]
) -> None:
    """How many of each kind, and the first of them."""
    before, after = pair
    _say(
        console,
        f"{before.name} {before.id[:ID]} -> {after.name} {after.id[:ID]}: "
        + ", ".join(f"{counts.get(what, 0)} {what}" for what in WHATS),
    )
    for each in first:
        said = ", ".join(f"{name} {_short(old)} -> {_short(new)}" for name, (old, new) in each.said.items())
        _say(console, f"  {each.what:10} {each.path}" + (f"  ({said})" if said else ""))
    hidden = sum(counts.values()) - len(first)
    if hidden:
        _say(console, f"  and {hidden} more: --json tells all")
    if before.licence != after.licence:
        _say(console, f"  licence {before.licence} -> {after.licence}")


def _print_standing(console: Console, seen: Overview) -> None:
    standing = seen.standing
    if standing.known:
        lacks = f"{len(standing.missing)} missing of the published set, {len(standing.surplus)} not in it"
        _say(
            console,
            f"  {lacks}"
            + (f": {_first(standing.missing or standing.surplus)}" if standing.missing or standing.surplus else ""),
        )
    for size in standing.sizes:
        sides = ", ".join(
            f"{side} {many}" + (f" of {size.published[side]}" if side in size.published else "")
            for side, many in size.sides.items()
        )
        _say(console, f"  protocol {size.name}: {size.problem or sides}")
        for reason, many in list(size.excluded.items())[:SHOWN]:
            _say(console, f"    {many} excluded: {reason}")


def _print_leaks(console: Console, seen: Overview) -> None:
    for guard, many in seen.leaks.counts.items():
        example = next(leak for leak in seen.leaks.first if leak.guard == guard)
        _say(console, f"  {guard}: {many} files, first {example.path} ({example.why})")
    for unchecked in seen.leaks.unchecked:
        _say(console, f"  not checked: {unchecked}")


def _counted(counts: Mapping[str | None, int]) -> str:
    """The first values with their numbers, and what all of them span."""
    shown = [f"{'not known' if name is None else name} {many}" for name, many in list(counts.items())[:SHOWN]]
    if len(counts) <= SHOWN:
        return ", ".join(shown)
    return (
        f"{', '.join(shown)}, ... ({len(counts)} values, {min(counts.values())} to {max(counts.values())} files each)"
    )


def _first(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _short(value: Any) -> str:
    text = str(value)
    return text[:ID] if len(text) == 64 else text


def _say(console: Console, line: str) -> None:
    console.print(escape(line), soft_wrap=True, highlight=False)
