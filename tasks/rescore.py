"""A champion that was measured otherwise, asked again about a candidate's probes."""

from pathlib import Path

from prefect import task

from infra.files import atomic_write_text
from models.errors import TrinormalError
from models.export.embedding import embed_normals
from models.export.onnx import load_session
from models.metrics.benchmark import outcomes, search_all
from models.metrics.protocol import Protocol
from registry import ledger
from registry.candidates import find_candidate
from registry.errors import RegistryError, TrackingError
from tasks import policies
from tasks.champion import Champion, open_champion
from tasks.normals import NormalShards, load_normals
from tasks.outcomes import FILE, Outcomes, identification_outcomes, read_outcomes
from tasks.stages import make
from tasks.wiring import open_workspace

CODE = ["models.metrics.benchmark", "models.export.embedding", "tasks.outcomes"]


def champion_to_score(model: str, protocol: Protocol) -> Champion | None:
    """The champion, where it has to be asked again: it keeps no outcomes under this protocol, and can be opened.

    One that cannot be opened cannot be compared with, and the gate says so.
    """
    engine = open_workspace().engine
    serving = ledger.champion(engine, model).version
    if serving is None:
        return None
    known = find_candidate(ledger.history(engine, model), model, serving)
    if known is not None and known.outcomes and known.protocol == protocol.hash():
        return None
    try:
        return open_champion(model)
    except TrackingError:
        raise
    except (RegistryError, TrinormalError):
        return None


@task(name="score champion", **policies.STAGE)
def outcomes_of_champion(champion: Champion, scans: NormalShards, protocol: Protocol) -> Outcomes:
    """What becomes of each probe; scans are encoded as the champion was trained."""

    def build(folder: Path, _: Path) -> None:
        features = embed_normals(load_session(champion.graph), load_normals(scans))
        found = outcomes(search_all(features, scans.sources, protocol), scans.sources, protocol)
        atomic_write_text(folder / FILE, identification_outcomes(protocol.hash(), found).as_text())

    inputs = [champion.sha256, *scans.shards]
    made = make(open_workspace(), "champion-outcomes", inputs, {"protocol": protocol.hash()}, CODE, build)
    return read_outcomes((made.path / FILE).read_text(encoding="utf-8"))
