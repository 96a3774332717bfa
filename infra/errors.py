"""Errors of the infrastructure. A message is one line: what, where, what to do."""


class InfrastructureError(RuntimeError):
    """Root of every error of `infra`, `registry` and `expectations`; the command line prints it as one line."""


class SettingsError(InfrastructureError):
    """An environment variable holds a value that cannot be used."""


class StoreError(InfrastructureError):
    """A stored artefact is missing, incomplete or not what its manifest says."""


class DatabaseError(InfrastructureError):
    """The database cannot be reached, is locked, or is not one we know."""


class SealError(InfrastructureError):
    """What is encrypted does not open with its key."""


class KeyRefused(InfrastructureError):
    """A key is gone, of another kind, open to others or not trusted, or a signature is wrong."""


class PackageBroken(InfrastructureError):
    """A signed folder is not what was signed."""
