"""The environment variables that keep libraries and child processes quiet and inside `TRINORMAL_HOME`."""

from infra.settings import Settings

SILENCE = {
    "DO_NOT_TRACK": "true",  # MLflow accepts `true`, not `1`
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_CLIENT_MAX_RETRIES": "10",  # SQLite on a busy machine answers 503 for a while
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",  # a run that falls silent is known to be dead
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",  # 20 is short for the first start on a busy machine
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_SERVER_UI_V2_ENABLED": "false",  # V2 makes one call to the outside, V1 none
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # MLflow's own patience stops a training for minutes; what can wait, waits
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # half a dozen processes for jobs that nobody here submits
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "GX_ANALYTICS_ENABLED": "false",
    "GIT_PYTHON_REFRESH": "quiet",
    "ORT_DISABLE_TELEMETRY": "1",  # ONNX Runtime from 1.29 on sends events, and writes below ~/.cache and TMPDIR
}


def environment(settings: Settings) -> dict[str, str]:
    """Variables for this process (before the libraries are imported) and for every child it starts."""
    return SILENCE | _own(settings) | _servers(settings) | _caches(settings)


def _own(settings: Settings) -> dict[str, str]:
    return {
        "TRINORMAL_HOME": str(settings.home),
        "TRINORMAL_DATABASE_URL": settings.database_url.get_secret_value(),
        "TRINORMAL_MLFLOW_TRACKING_URI": settings.mlflow_tracking_uri,
        "TRINORMAL_DEVICE": settings.device,
        "TRINORMAL_WORKERS": str(settings.workers),
        "TRINORMAL_DASK_ADDRESS": settings.dask_address,
        "TRINORMAL_STORE_URL": settings.store_url,
        "TRINORMAL_TRAINING_PROCESSES": str(settings.training_processes),
        "TRINORMAL_TRAINING_NODES": str(settings.training_nodes),
        "TRINORMAL_TRAINING_ADDRESS": settings.training_address,
        "TRINORMAL_LOG_LEVEL": settings.log_level,
        **_given(settings),
    }


def _given(settings: Settings) -> dict[str, str]:
    """Settings that have no value unless somebody gave one."""
    webhook = settings.webhook_url.get_secret_value() if settings.webhook_url else ""
    told = {
        "TRINORMAL_WEBHOOK_URL": webhook,
        "TRINORMAL_PREFECT_DATABASE_URL": settings.prefect_database_url.get_secret_value(),
        "TRINORMAL_ARTIFACTS_URL": settings.artifacts_url,
        "TRINORMAL_ALLOWED_HOSTS": settings.allowed_hosts,
        "TRINORMAL_WORK_POOL": settings.work_pool,
        "TRINORMAL_PREFECT_UI_URL": settings.prefect_ui_url,
        "TRINORMAL_MLFLOW_UI_URL": settings.mlflow_ui_url,
    }
    return {name: value for name, value in told.items() if value}


def _servers(settings: Settings) -> dict[str, str]:
    variables = {
        "PREFECT_HOME": str(settings.prefect_home),
        "PREFECT_PROFILES_PATH": str(settings.prefect_home / "profiles.toml"),
        "PREFECT_LOCAL_STORAGE_PATH": str(settings.prefect_home / "storage"),
        "PREFECT_LOGGING_LEVEL": settings.log_level,
        "MLFLOW_TRACKING_URI": settings.mlflow_tracking_uri,
        "MLFLOW_ENV_ROOT": str(settings.cache / "mlflow-envs"),
    }
    if settings.prefect_api_url:
        variables["PREFECT_API_URL"] = settings.prefect_api_url
    if settings.prefect_auth:
        secret = settings.prefect_auth.get_secret_value()
        variables |= {"PREFECT_API_AUTH_STRING": secret, "PREFECT_SERVER_API_AUTH_STRING": secret}
    if settings.mlflow_username and settings.mlflow_password:
        variables["MLFLOW_TRACKING_USERNAME"] = settings.mlflow_username
        variables["MLFLOW_TRACKING_PASSWORD"] = settings.mlflow_password.get_secret_value()
    return variables


def _caches(settings: Settings) -> dict[str, str]:
    names = {
        "XDG_CACHE_HOME": "xdg",
        "XDG_CONFIG_HOME": "config",
        "XDG_DATA_HOME": "data",
        "MPLCONFIGDIR": "matplotlib",
        "NUMBA_CACHE_DIR": "numba",
        "TORCH_HOME": "torch",
        "TORCHINDUCTOR_CACHE_DIR": "inductor",
        "TRITON_CACHE_DIR": "triton",
        "HF_HOME": "huggingface",
        "DASK_TEMPORARY_DIRECTORY": "dask",
        "DASK_CONFIG": "dask-config",
    }
    return {variable: str(settings.cache / folder) for variable, folder in names.items()}
