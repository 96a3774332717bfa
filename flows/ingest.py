"""A data set on disk becomes a snapshot in the catalogue."""

from prefect import flow

from flows.parameters import IngestRequest
from tasks import policies
from tasks.snapshot import Added, check_files, tell_snapshot, write_snapshot
from tasks.sources import licence_of, name_of, open_source


@flow(name="ingest", **policies.WORK)
def ingest(request: IngestRequest) -> Added:
    """Check every file, list all of them with their labels, and tell what is there; the same again does nothing."""
    source = open_source(request.data_set, request.folder, request.labels)
    checked = check_files(source, parse=not request.fast)
    added = write_snapshot(source, checked, name_of(source, request.name), licence_of(source, request.licence))
    tell_snapshot(added)
    return added
