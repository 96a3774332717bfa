"""Promotions, rollbacks, returns, crashes, reconciliations and tampering in any order, against a plain model."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Engine, event, text

from infra.database import migrate, open_engine, writing
from registry import ledger
from registry.errors import RegistryError
from registry.ledger import Champion
from registry.mirror import reconcile
from registry.packaging import PROTOCOL, SHA256, find_version
from registry.promotion import give_back, promote, roll_back
from registry.tracking import Tracker
from tests.faults.commit_points import PLACES, watch
from tests.registry.promotions import aliases, candidate_of, judged

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
VERSIONS = ("1", "2", "3")
version_numbers = st.sampled_from(VERSIONS)
TRIGGERS = ("update", "delete")
TAMPERINGS = (
    "UPDATE ledger SET version = '9' WHERE model = :model AND position = 1",
    "UPDATE ledger SET actor = 'nobody' WHERE model = :model AND position = 1",
    "UPDATE champion SET epoch = epoch + 1 WHERE model = :model",
    "UPDATE champion SET version = '7' WHERE model = :model",
    "DELETE FROM ledger WHERE model = :model AND position = 1",
)
numbers = count()


class Cut(BaseException):
    """A crash in the middle; nothing may catch it."""


class Promotions(RuleBasedStateMachine):
    """The plain model: who serves, who did, how often that changed, what a return restores, and who was offered."""

    engine: ClassVar[Engine]
    tracker: ClassVar[Tracker]

    @initialize()
    def begin(self) -> None:
        self.model = f"faces-{next(numbers)}"
        client = self.tracker.client
        client.create_registered_model(self.model)
        for number in VERSIONS:
            tags = {SHA256: number * 64, PROTOCOL: "p"}
            assert str(client.create_model_version(self.model, "file:///nowhere", tags=tags).version) == number
        self.epoch, self.serving, self.previous = 0, None, None
        self.before: tuple[str | None, str | None] | None = None
        self.offered: list[str] = []
        self.waiting: str | None = None
        self.entries, self.mirrored = 0, True

    def moved(self, version: str) -> None:
        self.before = (self.serving, self.previous)
        if version != self.serving:
            self.serving, self.previous = version, self.serving
        self.epoch += 1
        self.entries += 1
        self.waiting = None if version == self.waiting else self.waiting

    @contextmanager
    def crash(self, at: int | None) -> Iterator[None]:
        """Cut off at that commit, where there is one; the plain model learns from the ledger which side it fell on."""
        PLACES.cut(-1 if at is None else at, self._raise)
        try:
            yield
        except Cut:
            self.mirrored = False
        finally:
            PLACES.cut(-1, self._raise)

    def _raise(self) -> None:
        raise Cut

    def happened(self) -> bool:
        """Whether the change that was cut off is in the ledger."""
        return ledger.champion(self.engine, self.model).epoch == self.epoch + 1

    def change(self, at: int | None, do: Callable[[], bool], told: Callable[[], None]) -> None:
        """Do it, cut off or not; where it reached the ledger the plain model follows."""
        done: list[bool] = []
        with self.crash(at):
            done.append(do())
        if done:
            assert done[0] == self.happened()
            self.mirrored = self.mirrored or done[0]
        if self.happened():
            told()

    @rule(version=version_numbers)
    def offer(self, version: str) -> None:
        if version not in self.offered:
            candidate_of(self.engine, find_version(self.tracker, self.model, version))
            self.offered.append(version)
            self.waiting, self.entries, self.mirrored = version, self.entries + 1, False

    @precondition(lambda self: bool(self.offered))
    @rule(data=st.data(), late=st.booleans(), at=st.none() | st.integers(0, 12))
    def promote(self, data: st.DataObject, late: bool, at: int | None) -> None:
        version = data.draw(st.sampled_from(self.offered))
        known = candidate_of(self.engine, find_version(self.tracker, self.model, version))
        found = judged(self.engine, self.tracker, known)
        if late and self.epoch:
            found = found._replace(champion=found.champion._replace(epoch=self.epoch - 1))
            assert not promote(self.engine, self.tracker, found).moved
        else:
            self.change(at, lambda: promote(self.engine, self.tracker, found).moved, lambda: self.moved(version))

    @rule(at=st.none() | st.integers(0, 12))
    def roll_back(self, at: int | None) -> None:
        if self.previous is None:
            with pytest.raises(RegistryError, match="no previous champion"):
                roll_back(self.engine, self.tracker, self.model, self.epoch, "why")
            return
        version = self.previous
        self.change(
            at,
            lambda: roll_back(self.engine, self.tracker, self.model, self.epoch, "why").moved,
            lambda: self.moved(version),
        )

    @rule(at=st.none() | st.integers(0, 12))
    def give_back(self, at: int | None) -> None:
        if self.before is None or self.serving is None:
            with pytest.raises(RegistryError, match="no change that could be undone"):
                give_back(self.engine, self.tracker, self.model, self.epoch, "why")
            return
        self.change(at, lambda: give_back(self.engine, self.tracker, self.model, self.epoch, "why").moved, self.undone)

    def undone(self) -> None:
        assert self.before is not None
        (self.serving, self.previous), self.before = self.before, None
        self.epoch += 1
        self.entries += 1

    @rule()
    def reconcile(self) -> None:
        reconcile(self.engine, self.tracker, self.model)
        self.mirrored = True
        assert reconcile(self.engine, self.tracker, self.model) == ()

    @rule(alias=st.sampled_from(["champion", "previous", "challenger"]), version=version_numbers)
    def move_alias_by_hand(self, alias: str, version: str) -> None:
        self.tracker.client.set_registered_model_alias(self.model, alias, version)
        self.mirrored = False

    @precondition(lambda self: self.entries > 0)
    @rule(tampering=st.sampled_from(TAMPERINGS))
    def tamper(self, tampering: str) -> None:
        """Past the triggers, in a transaction that is taken back: the chain shows it."""
        with pytest.raises(Cut), writing(self.engine) as session:
            for change in TRIGGERS:
                session.execute(text(f"DROP TRIGGER ledger_no_{change}"))
            changed = session.execute(text(tampering), {"model": self.model})
            session.flush()
            if changed.rowcount:  # type: ignore[attr-defined]
                with pytest.raises(RegistryError, match="restore a backup"):
                    ledger.require_whole(
                        self.model,
                        session.get(ledger.ChampionRecord, self.model, populate_existing=True),
                        ledger._entries(session, self.model),
                    )
            raise Cut

    @invariant()
    def the_ledger_is_what_the_plain_model_says(self) -> None:
        if hasattr(self, "model"):
            found = ledger.champion(self.engine, self.model)
            assert found == Champion(self.model, self.serving, self.previous, self.epoch)
            assert ledger.verify_chain(self.engine, self.model) == self.entries
            assert ledger.challenger(ledger.history(self.engine, self.model)) == self.waiting

    @invariant()
    def the_aliases_mirror_it(self) -> None:
        if hasattr(self, "model") and self.mirrored:
            shown = {"champion": self.serving, "previous": self.previous, "challenger": self.waiting}
            known = {name: version for name, version in shown.items() if version}
            found = aliases(self.tracker, self.model)
            if not self.offered:  # a challenger from before candidates were noted is nobody's business but its own
                found.pop("challenger", None)
            assert found == known


@pytest.fixture
def machine(tracker: Tracker, tmp_path) -> Iterator[type[Promotions]]:
    """Crashes here are exceptions and no power cuts, so that neither database has to wait for the disk."""
    event.listen(Engine, "connect", hurry)  # MLflow's
    engine = open_engine(f"sqlite:///{tmp_path / 'trinormal.db'}")
    event.listen(engine, "connect", hurry)  # ours, which asks for the contrary first
    migrate(engine)
    watch()
    yield type("Promotions", (Promotions,), {"engine": engine, "tracker": tracker})
    engine.dispose()
    event.remove(Engine, "connect", hurry)


def hurry(connection: Any, _: object) -> None:
    connection.execute("PRAGMA synchronous=OFF")


def play(machine: type[Promotions], examples: int, steps: int) -> None:
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    run_state_machine_as_test(machine, settings=chosen)


@pytest.mark.slow
def test_ledger_and_aliases_follow_a_plain_model_through_anything(machine: type[Promotions]):
    play(machine, examples=8, steps=15)


@pytest.mark.campaign
@pytest.mark.timeout(7200)
def test_ledger_and_aliases_follow_a_plain_model_through_very_much(machine: type[Promotions]):
    play(machine, examples=200, steps=40)
