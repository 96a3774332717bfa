"""What a worker process does first."""


def dask_setup(worker: object) -> None:  # noqa: ARG001 - Dask's signature
    """Called by Dask in each worker: OpenCV uses one thread, since there is a process a core."""
    import cv2

    cv2.setNumThreads(1)
