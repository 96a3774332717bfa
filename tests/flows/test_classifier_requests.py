"""What is asked of the classifiers is checked before anything starts, and labels are never guessed."""

from pathlib import Path

import pytest

from flows.classifier_commands import classify, train_classifiers
from flows.known import require_collections
from flows.parameters import ClassifiersRequest
from models.errors import ConfigurationError, DataError
from models.types import Failure
from tasks.classify import Answers


@pytest.fixture
def real(tmp_path: Path) -> dict[str, Path]:
    folders = {"kdef": tmp_path / "KDEF", "fei": tmp_path / "FEI"}
    for folder in folders.values():
        folder.mkdir()
    (tmp_path / "genders.csv").write_text("subject,gender\n1,f\n")
    return {**folders, "genders": tmp_path / "genders.csv"}


def test_simulated_photos_need_nothing_and_real_ones_both_folders_and_the_list(real: dict[str, Path]):
    require_collections(ClassifiersRequest())
    require_collections(ClassifiersRequest(**real))


@pytest.mark.parametrize(
    ("left_out", "message"),
    [
        ("kdef", "--kdef is not given: give the folders of both"),
        ("fei", "--fei is not given: give the folders of both"),
        ("genders", "FEI publishes no genders, and none are guessed"),
    ],
)
def test_what_is_missing_is_named(real: dict[str, Path], left_out: str, message: str):
    given = {name: path for name, path in real.items() if name != left_out}
    with pytest.raises(ConfigurationError, match=message):
        require_collections(ClassifiersRequest(**given))


def test_folders_and_lists_that_are_not_there_are_named(real: dict[str, Path]):
    with pytest.raises(ConfigurationError, match=r"nowhere: no such folder, for --kdef"):
        require_collections(ClassifiersRequest(**{**real, "kdef": Path("nowhere")}))
    with pytest.raises(ConfigurationError, match=r"no.csv: no such list"):
        require_collections(ClassifiersRequest(**{**real, "genders": Path("no.csv")}))
    with pytest.raises(ConfigurationError, match="--genders without --fei"):
        require_collections(ClassifiersRequest(genders=real["genders"]))


def test_own_photos_stand_alone(real: dict[str, Path]):
    with pytest.raises(ConfigurationError, match="--photos stands alone"):
        train_classifiers(photos=real["kdef"], kdef=real["kdef"])


def test_photos_of_which_none_can_be_classified_are_an_error_with_each_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    failures = [Failure("a.jpg", "a.jpg: no such file; check the path"), Failure("b.jpg", "no face found")]
    monkeypatch.setattr("tasks.classify.classify_photos", lambda *_: Answers([], failures, "gender", "1"))
    with pytest.raises(DataError, match="none of 2 photos"):
        classify([Path("a.jpg"), Path("b.jpg")], "gender")
    told = capsys.readouterr().out
    assert "a.jpg: failed, no such file; check the path" in told
    assert "b.jpg: failed, no face found" in told
