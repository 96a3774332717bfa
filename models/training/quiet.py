"""Silences the chatter of Lightning that a user can do nothing about, message by message; all else stays heard."""

import logging
import warnings

CHATTER = (
    "GPU available:",
    "TPU available:",
    "HPU available:",
    "💡 Tip:",
    "`Trainer.fit` stopped: `max_epochs",
    "Restoring states from the checkpoint",
    "Restored all states from the checkpoint",
    "LOCAL_RANK:",
    "\nDetected KeyboardInterrupt",
    "Using 16bit Automatic Mixed Precision",
    "Using bfloat16 Automatic Mixed Precision",
)

WARNINGS = (
    # one process is on purpose: see `batch_loader`
    r".*does not have many workers",
    # a network that is held fixed keeps the statistics of its batch normalisation
    r"Found \d+ module\(s\) in eval mode at the start of training",
    # Lightning 2.6 on torch 2.13; theirs to mend
    r".*`isinstance\(treespec, LeafSpec\)` is deprecated",
)


def quiet_lightning() -> None:
    """Install the filters; calling it again changes nothing. Not undone: undoing warning filters is not thread-safe."""
    logger = logging.getLogger("lightning.pytorch.utilities.rank_zero")
    if _is_news not in logger.filters:
        logger.addFilter(_is_news)
    for message in WARNINGS:
        warnings.filterwarnings("ignore", message=message)


def _is_news(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith(CHATTER)
