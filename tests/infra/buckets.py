"""An S3 server of its own for tests, and an empty bucket in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest

KEYS = {"AWS_ACCESS_KEY_ID": "somebody", "AWS_SECRET_ACCESS_KEY": "not-a-secret", "AWS_DEFAULT_REGION": "us-east-1"}


@contextmanager
def s3_server() -> Iterator[str]:
    """The address of a server on a free port, stopped afterwards."""
    server = pytest.importorskip("moto.server").ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def new_bucket(endpoint: str) -> str:
    """The URL of a new bucket."""
    import fsspec

    name = f"trinormal-{uuid4().hex}"
    system = fsspec.filesystem("s3", endpoint_url=endpoint, skip_instance_cache=True)
    system.mkdir(name)
    return f"s3://{name}/store"
