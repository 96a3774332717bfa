"""Signed folders: a changed byte, a file more or less, a link or a foreign signature, and they are refused."""

import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.errors import PackageBroken
from infra.signed_folder import MANIFEST, SIGNATURE, open_signed, sign_folder
from infra.signing import Keyring

FILES = {
    "model.onnx": b"\x08\x0a" * 700,
    "card.md": b"# It\n",
    "empty.txt": b"",
    "w.safetensors": bytes(range(256)) * 4,
}


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    return Keyring(tmp_path_factory.mktemp("keys"))


def signed(folder: Path, keys: Keyring) -> Path:
    folder.mkdir()
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    sign_folder(folder, {"model": "faces", "key": "k"}, keys)
    return folder


@pytest.fixture
def folder(tmp_path: Path, keys: Keyring) -> Path:
    return signed(tmp_path / "package", keys)


def test_a_folder_opens_as_it_was_signed(folder: Path, keys: Keyring):
    found = open_signed(folder, keys)
    assert found.manifest.subject == {"model": "faces", "key": "k"}
    assert {name: found.read(name) for name in found.manifest.files} == FILES
    assert found.signer == "this home"


def positions(size: int, draw: random.Random) -> list[int]:
    return sorted({0, size // 2, size - 1, *draw.sample(range(size), min(size, 12))})


def refuse_changed_bytes(
    folder: Path, keys: Keyring, places: Callable[[int], list[int]], flips: tuple[int, ...]
) -> int:
    tried = 0
    for path in sorted(folder.iterdir()):
        whole = path.read_bytes()
        for place in places(len(whole)) if whole else ():
            for flip in flips:
                path.write_bytes(whole[:place] + bytes([whole[place] ^ flip]) + whole[place + 1 :])
                with pytest.raises(PackageBroken):
                    open_signed(folder, keys)
                tried += 1
        path.write_bytes(whole)
    open_signed(folder, keys)
    return tried


def test_one_changed_byte_in_any_file_is_refused(folder: Path, keys: Keyring):
    draw = random.Random(7)
    tried = refuse_changed_bytes(folder, keys, lambda size: positions(size, draw), (0x01, 0x20, 0x80))
    assert tried > 150


@pytest.mark.campaign
def test_every_byte_of_a_package_matters(folder: Path, keys: Keyring):
    tried = refuse_changed_bytes(folder, keys, lambda size: list(range(size)), (0x01, 0x20, 0xFF))
    assert tried == 3 * sum(path.stat().st_size for path in folder.iterdir())


@pytest.mark.parametrize("name", [*FILES, MANIFEST, SIGNATURE])
@pytest.mark.parametrize("change", ["longer", "shorter", "empty", "missing"])
def test_a_file_that_grew_shrank_or_went_is_refused(folder: Path, keys: Keyring, name: str, change: str):
    path = folder / name
    whole = path.read_bytes()
    if change in ("shorter", "empty") and not whole:
        pytest.skip("nothing can be taken from an empty file")
    if change == "missing":
        path.unlink()
    else:
        path.write_bytes({"longer": whole + b"\n", "shorter": whole[:-1], "empty": b""}[change])
    with pytest.raises(PackageBroken) as caught:
        open_signed(folder, keys)
    assert "\n" not in str(caught.value)


def link_out(folder: Path) -> None:
    (folder / "card.md").unlink()
    (folder.parent / "card.md").write_bytes(FILES["card.md"])  # the same bytes, behind a link
    (folder / "card.md").symlink_to(folder.parent / "card.md")


def link_folder(folder: Path) -> None:
    (folder / "more").symlink_to(folder.parent)


def pipe(folder: Path) -> None:
    (folder / "model.onnx").unlink()
    os.mkfifo(folder / "model.onnx")


def subfolder(folder: Path) -> None:
    (folder / "code").mkdir()


def many(folder: Path) -> None:
    for number in range(200):
        (folder / f"{number}.txt").touch()


def swapped(folder: Path) -> None:
    first, second = folder / "card.md", folder / "empty.txt"
    text = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(text)


def relabelled(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_bytes())
    manifest["subject"]["model"] = "other"
    (folder / MANIFEST).write_text(json.dumps(manifest, sort_keys=True, separators=(",", ":")) + "\n")


def loose_signature(folder: Path) -> None:
    (folder / SIGNATURE).write_text(json.dumps(json.loads((folder / SIGNATURE).read_bytes()), indent=1))


def shouted_signature(folder: Path) -> None:
    text = json.loads((folder / SIGNATURE).read_bytes())
    text["value"] = text["value"].upper()
    (folder / SIGNATURE).write_text(json.dumps(text, sort_keys=True, separators=(",", ":")) + "\n")


def deep_signature(folder: Path) -> None:
    (folder / SIGNATURE).write_bytes(b"[" * 4000)


def signature_of_another(folder: Path) -> None:
    stranger = Keyring(folder.parent / "stranger")
    for name in (MANIFEST, SIGNATURE):
        (folder / name).unlink()
    sign_folder(folder, {"model": "faces", "key": "k"}, stranger)


def mixed(folder: Path) -> None:
    """Two packages of the same signer, the manifest of one with the files of the other."""
    other = signed(folder.parent / "other", Keyring(folder.parent / "stranger"))
    shutil.copy(other / SIGNATURE, folder / SIGNATURE)


@pytest.mark.parametrize(
    "attack",
    [
        link_out,
        link_folder,
        pipe,
        subfolder,
        many,
        swapped,
        relabelled,
        loose_signature,
        shouted_signature,
        deep_signature,
        signature_of_another,
        mixed,
    ],
)
def test_what_is_not_just_what_was_signed_is_refused(folder: Path, keys: Keyring, attack: Callable[[Path], None]):
    attack(folder)
    with pytest.raises(PackageBroken) as caught:
        open_signed(folder, keys)
    assert "\n" not in str(caught.value)


def test_a_file_that_changes_after_the_check_is_not_read(folder: Path, keys: Keyring):
    found = open_signed(folder, keys)
    (folder / "card.md").write_bytes(b"# No\n")
    with pytest.raises(PackageBroken, match="changed"):
        found.read("card.md")


@pytest.mark.parametrize("name", ["model.pkl", "model.pt", "run.py", ".hidden.json", "a..json", "x" * 120 + ".json"])
def test_what_may_not_be_in_a_package_is_not_signed(folder: Path, keys: Keyring, name: str):
    (folder / name).write_bytes(b"?")
    with pytest.raises(PackageBroken, match="may not be in a package"):
        sign_folder(folder, {}, keys)


def test_a_missing_folder_is_refused(tmp_path: Path, keys: Keyring):
    with pytest.raises(PackageBroken, match="cannot be read"):
        open_signed(tmp_path / "absent", keys)
