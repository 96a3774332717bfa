"""The base class of every configuration: frozen, and a misspelt key is an error."""

from pydantic import BaseModel, ConfigDict


class Config(BaseModel):
    """Immutable values that reject unknown keys; equal configurations serialise to equal JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")
