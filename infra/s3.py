"""Is an S3 bucket usable? Asked by writing, reading and deleting one small object."""

from urllib.parse import urlsplit
from uuid import uuid4

from infra.errors import StoreError

WRITTEN = b"written and read back"


def probe_s3(url: str) -> None:
    """Raise `StoreError` when `s3://BUCKET/PREFIX` cannot be written and read with the keys of the environment."""
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError
    except ModuleNotFoundError:
        raise StoreError("S3 needs its client: pip install 'trinormal[s3]'") from None
    parts = urlsplit(url)
    key = "/".join(filter(None, (parts.path.strip("/"), f"trinormal-doctor-{uuid4().hex}")))
    quick = Config(connect_timeout=5, read_timeout=10, retries={"max_attempts": 1})
    try:
        client = boto3.client("s3", config=quick)
        client.put_object(Bucket=parts.netloc, Key=key, Body=WRITTEN)
        read = client.get_object(Bucket=parts.netloc, Key=key)["Body"].read()
        client.delete_object(Bucket=parts.netloc, Key=key)
    except (BotoCoreError, ClientError) as error:
        raise StoreError(f"{' '.join(str(error).split())[:200]}; {ADVICE}") from None
    if read != WRITTEN:
        raise StoreError(f"{url} does not keep what it got")


ADVICE = "set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, where it is not Amazon's, AWS_ENDPOINT_URL"
