"""User and password of each server: given by settings, or made once and kept in `keys/servers.json` (0600)."""

import json
import secrets
from pathlib import Path
from typing import NamedTuple

from pydantic import SecretStr

from infra.secret_files import read_secret_json, write_secret
from infra.settings import Settings
from models.errors import ConfigurationError

USER = "trinormal"
PASSWORD_BYTES = 24


class Credentials(NamedTuple):
    """Who may use the servers. `prefect` is `user:password`; `flask_key` signs MLflow's forms."""

    prefect: SecretStr | None = None
    mlflow_user: str = USER
    mlflow: SecretStr | None = None
    flask_key: SecretStr | None = None

    def secrets(self) -> tuple[str, ...]:
        """All that must never be seen."""
        given = [each.get_secret_value() for each in (self.prefect, self.mlflow, self.flask_key) if each is not None]
        return tuple({*given, *(each.partition(":")[2] for each in given[:1] if self.prefect is not None)})

    def variables(self) -> dict[str, str]:
        """What a client of both servers needs in its environment."""
        found: dict[str, str] = {}
        if self.prefect is not None:
            found |= {name: self.prefect.get_secret_value() for name in ("TRINORMAL_PREFECT_AUTH", CLIENT_AUTH)}
        if self.mlflow is not None:
            password = self.mlflow.get_secret_value()
            for prefix in ("TRINORMAL_MLFLOW", "MLFLOW_TRACKING"):
                found |= {f"{prefix}_USERNAME": self.mlflow_user, f"{prefix}_PASSWORD": password}
        return found


CLIENT_AUTH = "PREFECT_API_AUTH_STRING"


def keys_file(home: Path) -> Path:
    """Where passwords are kept."""
    return home / "keys" / "servers.json"


def known_credentials(settings: Settings) -> Credentials:
    """Those of the settings, else those that were made before; none where the servers are open."""
    kept = read_secret_json(keys_file(settings.home))
    prefect = settings.prefect_auth or _secret(kept.get("prefect"))
    if prefect is not None and not all(prefect.get_secret_value().partition(":")[::2]):
        raise ConfigurationError("TRINORMAL_PREFECT_AUTH is not user:password")
    mlflow = settings.mlflow_password or _secret(kept.get("mlflow"))
    return Credentials(prefect, settings.mlflow_username or USER, mlflow, _secret(kept.get("flask_key")))


def choose_credentials(settings: Settings, wanted: bool | None) -> Credentials:
    """Credentials for servers about to start. With `wanted` missing ones are made; with False none is asked for and
    what was made is forgotten; None leaves it as it was.
    """
    if wanted is False:
        if settings.prefect_auth or settings.mlflow_password:
            raise ConfigurationError(
                "--no-auth, but the settings hold passwords; unset TRINORMAL_PREFECT_AUTH and the like"
            )
        keys_file(settings.home).unlink(missing_ok=True)
        return Credentials()
    known = known_credentials(settings)
    if not wanted and known.prefect is None and known.mlflow is None:
        return known
    made = Credentials(
        prefect=known.prefect or (SecretStr(f"{USER}:{_password()}") if wanted else None),
        mlflow_user=known.mlflow_user,
        mlflow=known.mlflow or (SecretStr(_password()) if wanted else None),
        flask_key=known.flask_key or SecretStr(_password()),
    )
    _keep(settings, made)
    return made


def _keep(settings: Settings, made: Credentials) -> None:
    """Only what was made here; what the settings give stays with who gave it."""
    own = {"prefect": None if settings.prefect_auth else made.prefect, "flask_key": made.flask_key}
    own["mlflow"] = None if settings.mlflow_password else made.mlflow
    told = {name: secret.get_secret_value() for name, secret in own.items() if secret is not None}
    write_secret(keys_file(settings.home), json.dumps(told, indent=1, sort_keys=True) + "\n")


def _password() -> str:
    return secrets.token_urlsafe(PASSWORD_BYTES)


def _secret(value: object) -> SecretStr | None:
    return SecretStr(str(value)) if value else None
