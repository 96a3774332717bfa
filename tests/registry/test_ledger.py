import hashlib
import json
import multiprocessing

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from infra.database import open_engine, writing
from registry.errors import RegistryError
from registry.ledger import (
    Champion,
    challenger,
    champion,
    confirm,
    give_back,
    history,
    models,
    note,
    note_once,
    promote,
    roll_back,
    unconfirmed,
    verify_chain,
)

WHY = {"passed": True, "reasons": [], "value": 0.1 + 0.2}


def race(url: str, version: str, start: object, answers: object) -> None:
    engine = open_engine(url)
    start.wait()  # type: ignore[attr-defined]
    answers.put((version, promote(engine, "faces", version, 0, WHY)))  # type: ignore[attr-defined]


def test_of_processes_that_promote_at_once_exactly_one_wins(engine: Engine, database_url: str):
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pytest", "infra.database", "registry.ledger", "psycopg"])
    start, answers = context.Barrier(4), context.Queue()
    workers = [context.Process(target=race, args=(database_url, str(n), start, answers)) for n in range(4)]
    for worker in workers:
        worker.start()
    outcomes = dict(answers.get(timeout=60) for _ in workers)
    for worker in workers:
        worker.join()
    winners = [version for version, won in outcomes.items() if won]
    assert len(winners) == 1
    assert champion(engine, "faces") == Champion("faces", winners[0], None, 1)
    assert verify_chain(engine, "faces") == 1


def test_a_stale_epoch_changes_nothing(engine: Engine):
    assert promote(engine, "faces", "1", 0, WHY)
    assert not promote(engine, "faces", "2", 0, WHY)
    assert champion(engine, "faces").version == "1"
    assert [entry.version for entry in history(engine, "faces")] == ["1"]


def test_models_have_epochs_of_their_own(engine: Engine):
    assert promote(engine, "faces", "1", 0, WHY)
    assert promote(engine, "ears", "1", 0, WHY)
    assert champion(engine, "noses") == Champion("noses", None, None, 0)


def test_rolling_back_restores_the_one_before_and_is_written_down(engine: Engine):
    promote(engine, "faces", "1", 0, WHY)
    promote(engine, "faces", "2", 1, WHY)
    assert roll_back(engine, "faces", 2, "worse in the field")
    assert champion(engine, "faces") == Champion("faces", "1", "2", 3)
    assert [entry.action for entry in history(engine, "faces")] == ["promote", "promote", "roll back"]
    assert not roll_back(engine, "faces", 2, "again")


def test_promoting_the_champion_again_keeps_the_way_back(engine: Engine):
    promote(engine, "faces", "1", 0, WHY)
    promote(engine, "faces", "2", 1, WHY)
    promote(engine, "faces", "2", 2, WHY)
    assert champion(engine, "faces").previous == "1"
    assert verify_chain(engine, "faces") == 3


def test_there_is_nothing_to_roll_back_to_after_the_first_promotion(engine: Engine):
    promote(engine, "faces", "1", 0, WHY)
    with pytest.raises(RegistryError, match="no previous champion"):
        roll_back(engine, "faces", 1, "why not")


def test_a_refusal_is_kept_and_moves_no_epoch(engine: Engine):
    promote(engine, "faces", "1", 0, WHY)
    note(engine, "faces", "refuse", "2", {"passed": False, "reasons": ["rank1 is missing"]})
    assert champion(engine, "faces") == Champion("faces", "1", None, 1)
    assert history(engine, "faces")[-1].decision["reasons"] == ["rank1 is missing"]
    assert verify_chain(engine, "faces") == 2


def test_every_entry_says_who_did_it_and_why(engine: Engine):
    note_once(engine, "faces", "candidate", "1", {"rank1": 0.9})
    note(engine, "faces", "approve", "1", {}, "Ada", "looked at the slices")
    promote(engine, "faces", "1", 0, WHY, "Ada", "looked at the slices")
    promote(engine, "faces", "2", 1, WHY)
    roll_back(engine, "faces", 2, "worse in the field", "Grace")
    told = [(entry.action, entry.actor, entry.reason) for entry in history(engine, "faces")]
    assert told == [
        ("candidate", "trinormal", ""),
        ("approve", "Ada", "looked at the slices"),
        ("promote", "Ada", "looked at the slices"),
        ("promote", "trinormal", ""),
        ("roll back", "Grace", "worse in the field"),
    ]
    assert verify_chain(engine, "faces") == 5
    assert models(engine) == ("faces",)


def test_a_candidate_is_noted_once_and_stays_what_it_was(engine: Engine):
    assert note_once(engine, "faces", "candidate", "1", {"rank1": 0.9})
    assert not note_once(engine, "faces", "candidate", "1", {"rank1": 0.99})
    assert [entry.decision for entry in history(engine, "faces")] == [{"rank1": 0.9}]


def test_the_challenger_is_the_newest_candidate_until_it_has_served(engine: Engine):
    assert challenger(history(engine, "faces")) is None
    note_once(engine, "faces", "candidate", "1", {})
    note_once(engine, "faces", "candidate", "2", {})
    assert challenger(history(engine, "faces")) == "2"
    promote(engine, "faces", "2", 0, WHY)
    assert challenger(history(engine, "faces")) is None
    give_back(engine, "faces", 1, "does not answer")
    assert challenger(history(engine, "faces")) is None
    note_once(engine, "faces", "candidate", "3", {})
    assert challenger(history(engine, "faces")) == "3"


def test_giving_back_undoes_the_last_change_whole(engine: Engine):
    for epoch, version in enumerate(("1", "2", "3")):
        promote(engine, "faces", version, epoch, WHY)
    assert not give_back(engine, "faces", 2, "late")
    assert give_back(engine, "faces", 3, "does not answer")
    assert champion(engine, "faces") == Champion("faces", "2", "1", 4)
    assert history(engine, "faces")[-1][1:4] == ("return", "3", 4)
    with pytest.raises(RegistryError, match="no change that could be undone"):
        give_back(engine, "faces", 4, "again")
    roll_back(engine, "faces", 4, "worse in the field")
    assert give_back(engine, "faces", 5, "the old one does not answer either")
    assert champion(engine, "faces") == Champion("faces", "2", "1", 6)
    assert verify_chain(engine, "faces") == 6


def test_a_first_champion_that_is_given_back_leaves_nobody(engine: Engine):
    promote(engine, "faces", "1", 0, WHY)
    assert give_back(engine, "faces", 1, "does not answer")
    assert champion(engine, "faces") == Champion("faces", None, None, 2)
    assert verify_chain(engine, "faces") == 2


def test_a_change_waits_for_its_own_confirmation_only(engine: Engine):
    promote(engine, "faces", "1", 0, WHY)
    first = unconfirmed(history(engine, "faces"))
    assert first is not None
    promote(engine, "faces", "2", 1, WHY)
    assert not confirm(engine, first, "faces")
    second = unconfirmed(history(engine, "faces"))
    assert second is not None
    assert second.version == "2"
    assert confirm(engine, second, "faces")
    assert not confirm(engine, second, "faces")
    assert unconfirmed(history(engine, "faces")) is None
    roll_back(engine, "faces", 2, "worse")
    give_back(engine, "faces", 3, "does not answer")
    assert unconfirmed(history(engine, "faces")) is None


def test_entries_from_before_actors_were_noted_keep_their_hashes(engine: Engine):
    """Such an entry as the first version of the ledger wrote it, and its hash by that version's recipe."""
    moment = "2025-08-14T12:00:00+00:00"
    said = ["faces", 1, "promote", "1", 1, {"passed": True}, moment, "0" * 64]
    digest = hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    entry = {"decision": '{"passed": true}', "created": moment, "before": "0" * 64, "hash": digest}
    with writing(engine) as session:
        session.execute(
            text(
                "INSERT INTO ledger (model, position, action, version, epoch, decision, created, previous_hash, hash) "
                "VALUES ('faces', 1, 'promote', '1', 1, :decision, :created, :before, :hash)"
            ),
            entry,
        )
        session.execute(
            text("INSERT INTO champion (model, epoch, version, entries, head) VALUES ('faces', 1, '1', 1, :hash)"),
            entry,
        )
    assert verify_chain(engine, "faces") == 1
    promote(engine, "faces", "2", 1, WHY, "Ada")
    assert verify_chain(engine, "faces") == 2


@pytest.mark.parametrize("change", ["UPDATE ledger SET version = '9'", "DELETE FROM ledger"])
def test_the_database_refuses_to_rewrite_the_ledger(engine: Engine, change: str):
    promote(engine, "faces", "1", 0, WHY)
    with pytest.raises(DBAPIError, match="append-only"), writing(engine) as session:
        session.execute(text(change))


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE ledger SET version = '9' WHERE position = 1",
        "UPDATE ledger SET decision = '{}' WHERE position = 2",
        "UPDATE ledger SET actor = 'somebody else' WHERE position = 2",
        "UPDATE ledger SET actor = NULL, reason = NULL WHERE position = 2",
        "UPDATE ledger SET reason = 'another' WHERE position = 3",
        "UPDATE ledger SET action = 'return' WHERE position = 1",
        "DELETE FROM ledger WHERE position = 1",
        "DELETE FROM ledger WHERE position = 3",
        "DELETE FROM ledger",
        "UPDATE champion SET version = '1'",
        "UPDATE champion SET previous = '7'",
        "UPDATE champion SET epoch = 7",
    ],
)
def test_whoever_gets_past_that_is_found_by_the_chain(engine: Engine, tampering: str):
    for epoch, version in enumerate(("1", "2", "3")):
        promote(engine, "faces", version, epoch, WHY)
    assert verify_chain(engine, "faces") == 3
    lift = (
        ["DROP TRIGGER ledger_no_update", "DROP TRIGGER ledger_no_delete"]
        if engine.dialect.name == "sqlite"
        else ["DROP TRIGGER ledger_append_only ON ledger"]
    )
    with writing(engine) as session:
        for statement in (*lift, tampering):
            session.execute(text(statement))
    with pytest.raises(RegistryError, match="restore a backup"):
        verify_chain(engine, "faces")
