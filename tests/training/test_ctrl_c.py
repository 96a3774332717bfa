"""Ctrl-C in the middle of a training."""

import signal
from pathlib import Path

import pytest

from tests.training.test_kills import images_in, train


def test_ctrl_c_leaves_the_training_as_a_keyboard_interrupt_and_works_again_afterwards(tmp_path: Path, capsys, caplog):
    folder = images_in(tmp_path / "data")
    handler = signal.getsignal(signal.SIGINT)
    steps = iter(range(100))

    def press_in_the_third_epoch() -> bool:
        if next(steps) == 5:
            signal.raise_signal(signal.SIGINT)
        return False

    with pytest.raises(KeyboardInterrupt):
        train(folder, should_stop=press_in_the_third_epoch)
    assert signal.getsignal(signal.SIGINT) is handler
    assert "graceful" not in capsys.readouterr().err + caplog.text
    rows = []
    train(folder, on_epoch=rows.append)
    assert [row.epoch for row in rows] == [3, 4]
