"""A large file that is whole or absent."""

from pathlib import Path

import pytest

from infra.files import atomic_path


def test_what_was_written_a_part_at_a_time_is_there_at_the_end(tmp_path: Path):
    target = tmp_path / "new" / "table.bin"
    with atomic_path(target) as path:
        with path.open("ab") as file:
            file.write(b"first")
        assert not target.exists()
        with path.open("ab") as file:
            file.write(b" second")
    assert target.read_bytes() == b"first second"
    assert [each.name for each in target.parent.iterdir()] == ["table.bin"]


def test_a_block_that_raises_leaves_the_old_file_and_nothing_else(tmp_path: Path):
    target = tmp_path / "table.bin"
    target.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), atomic_path(target) as path:
        path.write_bytes(b"half")
        raise ZeroDivisionError
    assert target.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["table.bin"]
