"""Listings: order, hidden files, links, memory, and names that lead astray."""

import os
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import DataError
from models.readers.bosphorus import index_bosphorus
from models.readers.folder import index_photos
from models.readers.kdef import index_kdef
from models.readers.listing import list_files, read_listing, relative_paths, suffix_of
from models.readers.tables import MAX_LINE


def make(root, names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_files_come_in_the_order_of_their_paths_as_text(tmp_path):
    names = ["a/x/1", "a-b/1", "a.txt", "a/x.txt", "a0", "b/c/d/e", "Z"]
    make(tmp_path, [*names, ".hidden", "a/.git/1"])
    assert list(list_files(tmp_path)) == sorted(names)
    empty = tmp_path / "b" / "empty"
    empty.mkdir()
    assert list(list_files(empty)) == []


def test_links_to_folders_are_followed_and_a_link_that_leads_back_is_refused(tmp_path):
    make(tmp_path, ["disk/part1/bs000/bs000_N_N_0.bnt", "root/readme"])
    (tmp_path / "root" / "part1").symlink_to(tmp_path / "disk" / "part1")
    assert [record.path for record in index_bosphorus(tmp_path / "root")] == ["part1/bs000/bs000_N_N_0.bnt"]
    (tmp_path / "disk" / "part1" / "bs000" / "up").symlink_to(tmp_path / "root")
    with pytest.raises(DataError, match="leads back"):
        list(index_bosphorus(tmp_path / "root"))


def test_a_missing_folder_is_told_at_once(tmp_path):
    with pytest.raises(DataError, match="no such folder"):
        list_files(tmp_path / "none")
    with pytest.raises(DataError, match="none: no such folder"):
        index_kdef(tmp_path / "none")


def test_an_error_names_the_whole_path(tmp_path):
    make(tmp_path, ["bs000/bs000_N_N_0.bnt", "bs000/wrong.bnt"])
    with pytest.raises(DataError, match=f"^{tmp_path}/bs000/wrong.bnt: not a Bosphorus name"):
        list(index_bosphorus(tmp_path))


def test_a_listing_is_read_as_find_and_tar_print_it(tmp_path):
    text = tmp_path / "files.txt"
    text.write_text("./bs000/\n./bs000/bs000_N_N_0.bnt\r\n\nbs000/._bs000_N_N_0.bnt\nbs000/bs000_N_N_1.bnt")
    assert [record.labels["take"] for record in index_bosphorus(read_listing(text))] == ["0", "1"]
    text.write_text("x" * (MAX_LINE + 1))
    with pytest.raises(DataError, match="a line of more than"):
        list(read_listing(text))
    with pytest.raises(DataError, match="cannot be read"):
        list(read_listing(tmp_path / "none"))


@pytest.mark.parametrize("path", ["/etc/a.jpg", "../a.jpg", "a/../../a.jpg", "./../a.jpg", "a/.."])
def test_paths_that_leave_the_data_set_are_refused(path):
    with pytest.raises(DataError, match="leads out of the data set"):
        list(relative_paths([path]))


@pytest.mark.parametrize("name", ["a\nb.jpg", "a\x1b[2J.jpg", "a\udce9.jpg"])
def test_names_that_cannot_be_printed_are_refused_in_one_printable_line(name):
    with pytest.raises(DataError, match="control characters or bytes that are no UTF-8") as refused:
        list(index_photos([f"anna/{name}"]))
    assert str(refused.value).isprintable()


def test_bytes_that_are_no_utf8_in_a_name_on_disk_are_refused(tmp_path):
    folder = tmp_path / "anna"
    folder.mkdir()
    try:
        Path(os.fsdecode(bytes(folder) + b"/Jos\xe9.jpg")).touch()
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    with pytest.raises(DataError, match="no UTF-8"):
        list(index_photos(tmp_path))


@given(st.lists(st.sampled_from(["a", "b.jpg", "..", ".", "", ".x", "ü.JPG", "a\nb"]), max_size=5).map("/".join))
def test_any_path_is_indexed_or_refused_with_a_typed_error(path):
    try:
        (record,) = index_photos([path])
    except DataError as error:
        assert "\n" not in str(error)
        return
    assert record.path == path.removeprefix("./")
    assert ".." not in record.path.split("/")


def test_the_ending_tells_the_format():
    assert [suffix_of(name) for name in ("a/b.OBJ", "x.abs.gz", "x.y.abs", "a.b/c", ".bnt", "a.gz", "x.ABS.GZ")] == [
        ".obj",
        ".abs.gz",
        ".abs",
        "",
        "",
        ".gz",
        ".abs.gz",
    ]


def peak_of(count):
    """Peak bytes while so many names stream through an index."""
    names = (f"bs{number % 105:03d}/bs{number % 105:03d}_E_HAPPY_{number // 105 % 900}.bnt" for number in range(count))
    tracemalloc.start()
    try:
        assert sum(1 for _ in index_bosphorus(names)) == count
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_number_of_files():
    peak_of(100)
    assert peak_of(3_000) < peak_of(300) + 10_000
