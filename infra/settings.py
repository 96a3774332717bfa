"""What differs between machines: read once from `TRINORMAL_*` variables, then passed in as values."""

import os
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from infra.errors import SettingsError

PREFIX = "TRINORMAL_"
TEST_PREFIX = "TRINORMAL_TEST_"


class Settings(BaseSettings):
    """Where things are kept and how much of the machine is used. Everything written lies under `home`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True)

    home: Path = Path("~/.trinormal")
    database_url: SecretStr = SecretStr("")
    prefect_database_url: SecretStr = Field(default=SecretStr(""), description="PostgreSQL for Prefect; empty: SQLite")
    mlflow_tracking_uri: str = Field(default="", description="a server, or the database: SQLite below home, PostgreSQL")
    artifacts_url: str = Field(default="", pattern=r"^(s3://[^/\s@]+(/\S*)?)?$", description="MLflow's files in S3")
    allowed_hosts: str = Field(default="", description="names a proxy in front asks for, with commas between")
    mlflow_username: str | None = None
    mlflow_password: SecretStr | None = None
    prefect_api_url: str | None = None
    prefect_auth: SecretStr | None = Field(default=None, description="`user:password` of the Prefect API")
    work_pool: str = Field(
        default="",
        pattern=r"^([a-z0-9][a-z0-9-]*)?$",
        description="Prefect's pool for our runs; empty: the runner's own",
    )
    webhook_url: SecretStr | None = Field(default=None, description="told of failed runs, regressions, new champions")
    prefect_ui_url: str = Field(default="", description="where people see Prefect's runs; for links")
    mlflow_ui_url: str = Field(default="", description="where people see MLflow's runs; for links")
    device: Literal["auto", "cpu", "cuda"] = "auto"
    workers: Annotated[int, Field(ge=1, le=4096)] = Field(default_factory=lambda: len(usable_cores()))
    dask_address: str = Field(default="", description="a Dask scheduler elsewhere; empty: processes on this machine")
    store_url: str = Field(default="", description="the store shared by machines: a mounted folder or a bucket's URL")
    training_processes: Annotated[int, Field(ge=1, le=64)] = 1
    training_nodes: Annotated[int, Field(ge=1, le=64, description="machines that train together, this one too")] = 1
    training_address: str = Field(
        default="",
        pattern=r"^([^\s:/@]+:\d+)?$",
        description="HOST:PORT where other nodes reach the one where flows run",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @field_validator("home")
    @classmethod
    def _absolute(cls, home: Path) -> Path:
        return home.expanduser().absolute()

    @field_validator("store_url")
    @classmethod
    def _without_secrets(cls, url: str) -> str:
        if "@" in url.partition("://")[2].partition("/")[0]:
            raise ValueError("credentials do not belong in the URL; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
        return url

    @model_validator(mode="after")
    def _shared_store_for_other_machines(self) -> Self:
        if self.dask_address and not self.store_url:
            raise ValueError(f"{PREFIX}DASK_ADDRESS needs {PREFIX}STORE_URL: workers elsewhere do not see this disk")
        return self

    @model_validator(mode="after")
    def _nodes_that_find_each_other(self) -> Self:
        if self.training_nodes > 1 and not (self.training_address and self.store_url):
            raise ValueError(f"{PREFIX}TRAINING_NODES needs {PREFIX}TRAINING_ADDRESS and {PREFIX}STORE_URL")
        return self

    @model_validator(mode="after")
    def _fill_what_follows_from_home(self) -> Self:
        if not self.database_url.get_secret_value():
            object.__setattr__(self, "database_url", SecretStr(f"sqlite:///{self.home / 'trinormal.db'}"))
        if not self.mlflow_tracking_uri:
            object.__setattr__(self, "mlflow_tracking_uri", f"sqlite:///{self.home / 'mlflow' / 'mlflow.db'}")
        return self

    @field_validator("prefect_database_url")
    @classmethod
    def _by_its_driver(cls, url: SecretStr) -> SecretStr:
        """Prefect's driver for PostgreSQL is asyncpg."""
        scheme, separator, rest = url.get_secret_value().partition("://")
        known = scheme.partition("+")[0] in ("postgresql", "postgres")
        return SecretStr(f"postgresql+asyncpg{separator}{rest}") if known else url

    @property
    def training_ranks(self) -> int:
        """Processes that train one network together, on all nodes."""
        return self.training_processes * self.training_nodes

    def proxy_hosts(self) -> tuple[str, ...]:
        """The names under which a proxy in front of the servers is asked."""
        return tuple(name.strip().lower() for name in self.allowed_hosts.split(",") if name.strip())

    @property
    def mlflow_artifacts(self) -> Path:
        """Where MLflow keeps files when it runs without a server."""
        return self.home / "mlflow" / "artifacts"

    @property
    def prefect_home(self) -> Path:
        """Prefect's database, profiles and results."""
        return self.home / "prefect"

    @property
    def store(self) -> Path:
        """The content-addressed store of derived artefacts."""
        return self.home / "store"

    @property
    def signing(self) -> Path:
        """The key that packages of models are signed with, and the public keys that are trusted."""
        return self.home / "mlflow" / "signing"

    @property
    def assets(self) -> Path:
        """What set-up fetched or trained: detector, landmark and starting weights."""
        return self.home / "assets"

    @property
    def quarantine(self) -> Path:
        """A note on each shard that was set aside, with the reason."""
        return self.home / "quarantine"

    @property
    def keys(self) -> Path:
        """Secrets of this home, apart from what they open; no backup of the database should hold them."""
        return self.home / "keys"

    @property
    def erasures(self) -> Path:
        """Erasures on their way, sealed; empty when none is."""
        return self.home / "erasures"

    @property
    def cache(self) -> Path:
        """Compiled kernels, fonts and the like; safe to delete at any time."""
        return self.home / "cache"


def usable_cores() -> set[int]:
    """The cores this process may run on, which in a container is fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))


def load_settings(**overrides: object) -> Settings:
    """Settings from the environment, `overrides` first; a bad value raises `SettingsError` in one line."""
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for name in sorted(os.environ):
        if name.startswith(PREFIX) and not name.startswith(TEST_PREFIX) and name not in known:
            raise SettingsError(f"{name} is not a setting; have {', '.join(sorted(known))}")
    try:
        return Settings(**overrides)  # pyright: ignore[reportArgumentType]
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"]).upper()
        raise SettingsError(f"{PREFIX}{name}: {first['msg']}" if name else first["msg"]) from None
