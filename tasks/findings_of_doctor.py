"""What the doctor says."""

from typing import Literal, NamedTuple


class Finding(NamedTuple):
    """One thing looked at. A `warning` keeps nothing from running; `advice` is empty where all is well."""

    what: str
    state: Literal["ok", "warning", "wrong"]
    seen: str
    advice: str = ""
