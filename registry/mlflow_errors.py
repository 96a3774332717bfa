"""What goes wrong with MLflow, told in one line."""

from collections.abc import Generator
from contextlib import contextmanager

from infra.logging import mask_credentials
from registry.errors import TrackingError


@contextmanager
def explained(tracking_uri: str) -> Generator[None]:
    """Turn MLflow's, the network's and its database's errors into one `TrackingError`."""
    from mlflow.exceptions import MlflowException
    from requests import RequestException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, RequestException, SQLAlchemyError, OSError) as error:
        reason = mask_credentials(" ".join(str(error).split()))[:300]
        raise TrackingError(f"MLflow at {mask_credentials(tracking_uri)}: {reason}") from error
