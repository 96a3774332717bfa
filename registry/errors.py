"""Errors of the registry. A message is one line: what, where, what to do."""

from infra.errors import InfrastructureError


class RegistryError(InfrastructureError):
    """A snapshot, a model version or a ledger record is missing, tampered with or in the way."""


class TrackingError(RegistryError):
    """MLflow cannot be reached or refuses."""


class TrackingUnavailable(TrackingError):
    """MLflow, or its database, does not answer now; later it may."""
