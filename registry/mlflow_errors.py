"""What goes wrong with MLflow, told in one line."""

from collections.abc import Generator
from contextlib import contextmanager

from infra.logging import mask_credentials
from registry.errors import TrackingError, TrackingUnavailable

PASSING = {"INTERNAL_ERROR", "TEMPORARILY_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED", "DEADLINE_EXCEEDED"}


@contextmanager
def explained(tracking_uri: str) -> Generator[None]:
    """Turn MLflow's, the network's and its database's errors into one `TrackingError`.

    It is a `TrackingUnavailable` where nobody answers, or the server says that the fault is its own.
    """
    from mlflow.exceptions import MlflowException
    from requests import RequestException
    from sqlalchemy.exc import OperationalError, SQLAlchemyError

    try:
        yield
    except (MlflowException, RequestException, SQLAlchemyError, OSError) as error:
        reason = mask_credentials(" ".join(str(error).split()))[:300]
        passing = isinstance(error, RequestException | OperationalError | ConnectionError | TimeoutError)
        passing = passing or (isinstance(error, MlflowException) and error.error_code in PASSING)
        kind = TrackingUnavailable if passing else TrackingError
        raise kind(f"MLflow at {mask_credentials(tracking_uri)}: {reason}") from error
