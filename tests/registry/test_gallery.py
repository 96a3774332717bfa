"""The gallery's rows and seals: nothing opens elsewhere, nothing is left of the forgotten, nobody else is touched."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from infra.database import reading, writing
from infra.errors import SealError
from infra.keys import KeyFolder
from registry.errors import RegistryError
from registry.gallery import Gallery, Made, Version
from registry.gallery_seals import plain_name

V1, V2 = Version("faces", "1" * 64), Version("faces", "2" * 64)
NAME, OTHER = "Anna Perez-Quintero", "Bert Oyelaran"


@pytest.fixture
def keys(tmp_path: Path) -> KeyFolder:
    return KeyFolder(tmp_path / "keys")


@pytest.fixture
def gallery(engine: Engine, keys: KeyFolder) -> Gallery:
    return Gallery(engine, keys)


def enrolled(gallery: Gallery, name: str, content: bytes, version: Version = V1) -> None:
    sample, _ = gallery.add(name, "scan", content)
    gallery.put(version, [Made(sample, b"template of " + content)])


def dump(engine: Engine) -> bytes:
    """Everything that the tables say, as bytes."""
    with reading(engine) as session:
        rows = [
            tuple(row)
            for table in ("gallery_person", "gallery_sample", "gallery_template")
            for row in session.execute(text(f"SELECT * FROM {table}"))  # noqa: S608
        ]
    return b"|".join(cell if isinstance(cell, bytes) else str(cell).encode() for row in rows for cell in row)


def sealed(engine: Engine) -> set[bytes]:
    """All that is sealed."""
    with reading(engine) as session:
        cells = [
            session.scalars(text(f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL"))  # noqa: S608
            for table, column in (
                ("gallery_person", "name"),
                ("gallery_sample", "content"),
                ("gallery_template", "content"),
            )
        ]
        return {bytes(cell) for column in cells for cell in column}


def test_people_samples_and_templates_come_back_as_they_were_put_in(gallery: Gallery):
    enrolled(gallery, NAME, b"one")
    enrolled(gallery, NAME, b"two")
    enrolled(gallery, OTHER, b"three")
    assert [(each.name, each.samples, each.issue) for each in gallery.people()] == [(NAME, 2, 1), (OTHER, 1, 1)]
    found = sorted((each.person, each.content) for each in gallery.templates(V1))
    anna, bert = gallery.require(NAME).number, gallery.require(OTHER).number
    assert found == [(anna, b"template of one"), (anna, b"template of two"), (bert, b"template of three")]


def test_the_database_names_nobody_and_shows_no_content(engine: Engine, gallery: Gallery):
    enrolled(gallery, NAME, b"the very face of somebody")
    stored = dump(engine)
    for trace in (NAME.encode(), b"Anna", b"very face", b"template of"):
        assert trace not in stored
    with pytest.raises(RegistryError, match="nobody called"):
        gallery.require("Anna")


def test_a_name_is_one_however_it_is_typed(gallery: Gallery):
    enrolled(gallery, "Zo\u00eb", b"one")
    enrolled(gallery, " Zoe\u0308 ", b"two")
    assert [(each.name, each.samples) for each in gallery.people()] == [("Zo\u00eb", 2)]
    for bad in ("", "   ", "two\nlines", "x" * 201):
        with pytest.raises(RegistryError, match="printable"):
            plain_name(bad)


def test_a_sample_twice_is_once_and_keeps_its_template(gallery: Gallery):
    enrolled(gallery, NAME, b"one")
    sample, new = gallery.add(NAME, "scan", b"one")
    gallery.put(V1, [Made(sample, b"another")])
    assert not new
    assert [each.content for each in gallery.templates(V1)] == [b"template of one"]


def test_versions_never_meet_and_the_next_one_asks_for_what_it_has_not_seen(gallery: Gallery):
    enrolled(gallery, NAME, b"one")
    gallery.add(OTHER, "photo", b"two", keep=False)
    assert list(gallery.templates(V2)) == []
    pending = {each.row.kind: each.content for each in gallery.pending(V2)}
    assert pending == {"scan": b"one", "photo": None}
    gallery.put(V2, [Made(each, None, "no nose") for each in gallery.pending(V2)])
    assert [row.failure for row in gallery.failures(V2)] == ["no nose", "no nose"]
    assert list(gallery.pending(V2)) == []
    assert gallery.keep_versions("faces", [V2.sha256]) == 1
    assert list(gallery.templates(V1)) == []


@pytest.mark.parametrize(
    "move",
    [
        "UPDATE gallery_template SET model_sha256 = :two",
        "UPDATE gallery_sample SET kind = 'photo'",
        "UPDATE gallery_sample SET person = (SELECT max(number) FROM gallery_person)",
        "UPDATE gallery_person SET issue = 2",
        "UPDATE gallery_person SET key = (SELECT key FROM gallery_person ORDER BY number DESC LIMIT 1)",
    ],
)
def test_nothing_opens_where_it_does_not_belong(engine: Engine, gallery: Gallery, move: str):
    enrolled(gallery, NAME, b"one")
    gallery.add(OTHER, "scan", b"two")
    with writing(engine) as session:
        session.execute(text(move), {"two": V2.sha256} if ":two" in move else {})
    with pytest.raises(SealError, match="does not open"):
        list(gallery.templates(V2 if ":two" in move else V1))


def test_who_is_forgotten_is_gone_and_nobody_else_is_touched(engine: Engine, gallery: Gallery, keys: KeyFolder):
    enrolled(gallery, OTHER, b"two")
    before, known = dump(engine), set(keys.names())
    enrolled(gallery, NAME, b"one")
    (key,) = set(keys.names()) - known
    assert gallery.forget(NAME)
    assert not gallery.forget(NAME)
    assert dump(engine) == before
    assert set(keys.names()) == known
    assert not keys.has(key)
    assert [each.content for each in gallery.templates(V1)] == [b"template of two"]


def test_a_copy_of_the_database_from_before_opens_no_more(engine: Engine, gallery: Gallery, keys: KeyFolder):
    enrolled(gallery, NAME, b"one")
    with reading(engine) as session:
        rows = [dict(row._mapping) for row in session.execute(text("SELECT * FROM gallery_person"))]
    assert gallery.forget(NAME)
    with writing(engine) as session:
        names = ", ".join(rows[0])
        values = ", ".join(f":{name}" for name in rows[0])
        session.execute(text(f"INSERT INTO gallery_person ({names}) VALUES ({values})"), rows)  # noqa: S608
    assert gallery.people() == []
    assert gallery.sweep() == 1
    assert dump(engine) == b""


@pytest.mark.parametrize("killed", ["delete_person", "compact"])
def test_a_forgetting_that_is_killed_is_finished_by_the_next_command(
    engine: Engine, gallery: Gallery, monkeypatch: pytest.MonkeyPatch, killed: str
):
    class Killed(BaseException):
        pass

    def stop(*_: object) -> None:
        raise Killed

    enrolled(gallery, NAME, b"one")
    enrolled(gallery, OTHER, b"two")
    module = "registry.gallery_rows" if killed == "delete_person" else "registry.gallery"
    with monkeypatch.context() as patch:
        patch.setattr(f"{module}.{killed}", stop)
        with pytest.raises(Killed):
            gallery.forget(NAME)
    assert [each.name for each in gallery.people()] == [OTHER], "without a key there is nobody"
    assert [each.content for each in gallery.templates(V1)] == [b"template of two"]
    gallery.sweep()
    enrolled(gallery, NAME, b"three")
    assert sorted(each.content for each in gallery.templates(V1)) == [b"template of three", b"template of two"]


def test_issued_anew_everything_has_another_key_and_the_old_one_is_destroyed(
    engine: Engine, gallery: Gallery, keys: KeyFolder
):
    enrolled(gallery, NAME, b"one")
    gallery.put(V2, [Made(each, None, "no nose") for each in gallery.pending(V2)])
    (old_key,) = keys.names()
    before = sealed(engine)
    person = gallery.reissue(NAME, lambda old, new, content: content + f" {old}->{new}".encode())
    assert (person.name, person.issue, person.samples) == (NAME, 2, 1)
    assert [each.content for each in gallery.templates(V1)] == [b"template of one 1->2"]
    assert [row.failure for row in gallery.failures(V2)] == ["no nose"]
    assert not keys.has(old_key)
    assert len(before) == 3
    assert not before & sealed(engine), "name, sample and template: none as it was"
    with pytest.raises(RegistryError, match="nobody called"):
        gallery.reissue(OTHER, lambda _, __, content: content)


def test_unused_keys_go_once_they_are_old(gallery: Gallery, keys: KeyFolder, monkeypatch: pytest.MonkeyPatch):
    keys.create()
    assert gallery.sweep() == 0, "it may belong to an enrolment on its way"
    monkeypatch.setattr("registry.gallery.SETTLED", keys.age("0" * 32))
    assert gallery.sweep() == 1
    assert list(keys.names()) == []
