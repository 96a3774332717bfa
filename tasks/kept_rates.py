"""Rates of a profile on this machine, measured once and kept below the home."""

from datetime import UTC, datetime
from typing import NamedTuple

from infra.files import atomic_write_json, canonical_json, sha256_bytes
from infra.fingerprint import code_fingerprint
from infra.profiles import Profile
from infra.settings import Settings
from tasks.files import read_json
from tasks.rates import Rate, measure_rates


class KeptRates(NamedTuple):
    """Rates by name, and the day they were measured."""

    rates: dict[str, Rate]
    when: str


def rates_of(settings: Settings, profile: Profile, anew: bool) -> KeptRates:
    """The kept rates, measured where there are none of this profile and this code, or `anew` asks for it."""
    asked = [profile.model_dump(), code_fingerprint("tasks.rates")]
    path = settings.home / "rates" / f"{sha256_bytes(canonical_json(asked).encode())[:20]}.json"
    if anew or not path.is_file():
        rates = {name: list(rate) for name, rate in measure_rates(profile).items()}
        atomic_write_json(path, {"when": datetime.now(UTC).date().isoformat(), "rates": rates})
    kept = read_json(path)
    return KeptRates({name: Rate(*numbers) for name, numbers in kept["rates"].items()}, str(kept["when"]))
