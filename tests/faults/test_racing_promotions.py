"""Promotions at once, from processes of their own: exactly one wins each round."""

import random
import time
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import pytest
from sqlalchemy import Engine

from infra.database import open_engine
from registry.ledger import champion, history, promote, verify_chain
from tests.faults.promotion_homes import forkserver

RACERS = 8
ROUNDS_A_MODEL = 20
SEED = 20250814


class Round(NamedTuple):
    """What one racer is to do: promote that version of that model at that epoch, when the round begins."""

    number: int
    model: str
    version: str
    epoch: int


def race(url: str, orders: Connection, begun: Any) -> None:
    """Wait for orders, make ready, and promote at the common start."""
    engine = open_engine(url)
    while (order := orders.recv()) is not None:
        orders.send("ready")
        while begun.value < order.number:
            time.sleep(0.0002)
        orders.send(promote(engine, order.model, order.version, order.epoch, {"round": order.number}))
    engine.dispose()


def run_rounds(engine: Engine, url: str, rounds: int) -> tuple[int, int]:
    """Race; how many promotions were tried, and in how many rounds not exactly one won."""
    context, draw = forkserver(), random.Random(SEED)
    begun = context.Value("i", -1)
    pairs = [context.Pipe() for _ in range(RACERS)]
    workers = [context.Process(target=race, args=(url, theirs, begun)) for _, theirs in pairs]
    for worker in workers:
        worker.start()
    tried = violations = 0
    for number in range(rounds):
        model = f"model-{number // ROUNDS_A_MODEL}"
        epoch, entries = champion(engine, model).epoch, len(history(engine, model))
        lines = [ours for ours, _ in draw.sample(pairs, draw.randint(2, RACERS))]
        for place, line in enumerate(lines):
            line.send(Round(number, model, f"{number}-{place}", epoch))
        assert [line.recv() for line in lines] == ["ready"] * len(lines)
        begun.value = number
        won = [place for place, line in enumerate(lines) if line.recv()]
        tried += len(lines)
        state = champion(engine, model)
        expected = (f"{number}-{won[0]}" if won else None, epoch + 1)
        whole = verify_chain(engine, model) == entries + 1
        violations += not (len(won) == 1 and (state.version, state.epoch) == expected and whole)
    for ours, _ in pairs:
        ours.send(None)
    for worker in workers:
        worker.join()
    return tried, violations


@pytest.mark.slow
def test_of_racing_promotions_exactly_one_wins_each_round(engine: Engine, database_url: str):
    tried, violations = run_rounds(engine, database_url, rounds=25)
    assert tried >= 50
    assert violations == 0


@pytest.mark.campaign
@pytest.mark.timeout(7200)
def test_of_racing_promotions_exactly_one_wins_in_each_of_many_rounds(engine: Engine, database_url: str):
    rounds = 1000 if engine.dialect.name == "sqlite" else 300
    tried, violations = run_rounds(engine, database_url, rounds)
    bound = 1 - 0.05 ** (1 / rounds)
    print(
        f"{engine.dialect.name}: {rounds} rounds of 2 to {RACERS} racers (seed {SEED}), {tried} promotions, "
        f"{violations} violations; without any, at 95 % at most {100 * bound:.2f} % of rounds can break it"
    )
    assert violations == 0
