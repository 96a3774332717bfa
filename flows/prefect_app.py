"""Prefect's server behind our guard: `python -m flows.prefect_app PORT`."""

import sys

from flows.guard import Guard, addresses
from infra.settings import load_settings

HOST = "127.0.0.1"


def run(port: int) -> None:
    """Serve API, UI and services until SIGTERM."""
    import uvicorn
    from prefect.server.api.server import create_app

    names = addresses(port, load_settings().proxy_hosts())
    uvicorn.run(Guard(create_app(final=True), names), host=HOST, port=port, log_level="warning", lifespan="on")


if __name__ == "__main__":
    run(int(sys.argv[1]))
