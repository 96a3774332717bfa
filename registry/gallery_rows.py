"""The gallery's tables: which person has which samples, which models have templates of them. Everything is sealed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Engine, delete, func, inspect, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from infra.database import reading, writing
from registry.errors import RegistryError
from registry.tables import Base, GalleryPersonRecord, GallerySampleRecord, GalleryTemplateRecord, now

BATCH = 500
SAMPLES_AT_ONCE = 16


class PersonRow(NamedTuple):
    """An enrolled person; `name` is sealed under the key called `key`."""

    number: int
    pseudonym: str
    key: str
    issue: int
    name: bytes
    created: datetime
    samples: int


class SampleRow(NamedTuple):
    """An enrolled sample; `content` is sealed, or None where it was not kept."""

    number: int
    person: int
    tag: str
    kind: str
    content: bytes | None


class TemplateRow(NamedTuple):
    """A template of one model, sealed, with what it hangs on; or why the model made none."""

    sample: int
    person: int
    tag: str
    kind: str
    model: str
    model_sha256: str
    content: bytes | None
    failure: str | None


def find_person(engine: Engine, pseudonym: str) -> PersonRow | None:
    """Who goes by a pseudonym."""
    with reading(engine) as session:
        found = _people(session, GalleryPersonRecord.pseudonym == pseudonym)
        return found[0] if found else None


def list_people(engine: Engine) -> list[PersonRow]:
    """Everybody, in the order of enrolment."""
    with reading(engine) as session:
        return _people(session)


def add_person(engine: Engine, pseudonym: str, key: str, name: bytes) -> PersonRow:
    """Enrol somebody; of two that do it at once both get the one that was faster, whose key counts."""
    values = {"pseudonym": pseudonym, "key": key, "issue": 1, "name": name, "created": now()}
    with writing(engine) as session:
        _insert_new(session, GalleryPersonRecord, values)
        return _people(session, GalleryPersonRecord.pseudonym == pseudonym)[0]


def add_sample(engine: Engine, person: int, tag: str, kind: str, content: bytes | None) -> bool:
    """Add a sample; False where the person has it already."""
    with writing(engine) as session:
        values = {"person": person, "tag": tag, "kind": kind, "content": content}
        return _insert_new(session, GallerySampleRecord, values)


def add_templates(engine: Engine, templates: Iterable[TemplateRow]) -> None:
    """Add templates; one that is there already stays, one whose sample is gone meanwhile is dropped."""
    with writing(engine) as session:
        for each in templates:
            values = each._asdict()
            for name in ("person", "tag", "kind"):
                del values[name]
            if session.get(GallerySampleRecord, each.sample) is not None:
                _insert_new(session, GalleryTemplateRecord, values)


def samples_without_template(engine: Engine, model: str, model_sha256: str) -> Iterator[SampleRow]:
    """The samples that a model has not embedded yet, a few at a time."""
    sample, template = GallerySampleRecord, GalleryTemplateRecord
    done = select(template.sample).where(template.model == model, template.model_sha256 == model_sha256)
    last = 0
    while True:
        with reading(engine) as session:
            query = select(sample).where(sample.number.not_in(done), sample.number > last).order_by(sample.number)
            page = [_sample(record) for record in session.scalars(query.limit(SAMPLES_AT_ONCE))]
        yield from page
        if not page:
            return
        last = page[-1].number


def find_sample(engine: Engine, person: int, tag: str) -> SampleRow:
    """A sample by its tag; raises `RegistryError` where it went meanwhile."""
    with reading(engine) as session:
        found = session.scalar(select(GallerySampleRecord).filter_by(person=person, tag=tag))
        if found is None:
            raise RegistryError("the person was forgotten while being enrolled: enrol again if that was not meant")
        return _sample(found)


def samples_of(engine: Engine, person: int) -> list[SampleRow]:
    """Everything that one person was enrolled with."""
    with reading(engine) as session:
        query = select(GallerySampleRecord).filter_by(person=person).order_by(GallerySampleRecord.number)
        return [_sample(record) for record in session.scalars(query)]


def templates(engine: Engine, model: str, model_sha256: str) -> Iterator[TemplateRow]:
    """All templates of exactly one version of a model, failures among them; streamed."""
    template = GalleryTemplateRecord
    yield from _templates(engine, template.model == model, template.model_sha256 == model_sha256)


def templates_of(engine: Engine, person: int) -> Iterator[TemplateRow]:
    """All templates of one person, of whatever model."""
    yield from _templates(engine, GallerySampleRecord.person == person)


def has_templates(engine: Engine, model: str) -> bool:
    """Whether any version of a model has templates, failures among them."""
    with reading(engine) as session:
        found = select(GalleryTemplateRecord.sample).where(GalleryTemplateRecord.model == model).limit(1)
        return session.scalar(found) is not None


def keep_templates(engine: Engine, model: str, versions: Sequence[str]) -> int:
    """Drop the templates of all other versions of a model; returns how many went."""
    template = GalleryTemplateRecord
    with writing(engine) as session:
        old = delete(template).where(template.model == model, template.model_sha256.not_in(versions))
        return len(session.scalars(old.returning(template.sample)).all())


def replace_seals(
    engine: Engine, person: PersonRow, samples: Sequence[SampleRow], renewed: Sequence[TemplateRow]
) -> bool:
    """Give a person another key, issue and name, and all that is theirs the new seals, at one stroke.

    False, and nothing done, when anything of theirs was added or changed since it was read.
    """
    with writing(engine) as session:
        record = session.get(GalleryPersonRecord, person.number, with_for_update=True)
        if record is None or record.issue != person.issue - 1 or not _complete(session, person, samples, renewed):
            return False
        record.key, record.issue, record.name = person.key, person.issue, person.name
        for each in samples:
            sample = update(GallerySampleRecord).where(GallerySampleRecord.number == each.number)
            session.execute(sample.values(content=each.content))
        for each in renewed:
            record_of = (each.sample, each.model, each.model_sha256)
            session.get_one(GalleryTemplateRecord, record_of).content = each.content
        return True


def delete_person(engine: Engine, number: int) -> None:
    """Drop a person with all samples and templates; `infra.database.compact` removes the last trace."""
    with writing(engine) as session:
        own = select(GallerySampleRecord.number).where(GallerySampleRecord.person == number)
        session.execute(delete(GalleryTemplateRecord).where(GalleryTemplateRecord.sample.in_(own)))
        session.execute(delete(GallerySampleRecord).where(GallerySampleRecord.person == number))
        session.execute(delete(GalleryPersonRecord).where(GalleryPersonRecord.number == number))


def _insert_new(session: Session, table: type[Base], values: Mapping[str, Any]) -> bool:
    """Whether the row was not there yet."""
    insert = insert_sqlite if session.get_bind().dialect.name == "sqlite" else insert_postgresql
    key = inspect(table).primary_key[0]
    done = session.execute(insert(table).values(**values).on_conflict_do_nothing().returning(key))
    return done.first() is not None


def _complete(
    session: Session, person: PersonRow, samples: Sequence[SampleRow], renewed: Sequence[TemplateRow]
) -> bool:
    own = select(GallerySampleRecord.number).where(GallerySampleRecord.person == person.number)
    theirs = select(GalleryTemplateRecord.sample, GalleryTemplateRecord.model, GalleryTemplateRecord.model_sha256)
    made = {tuple(row) for row in session.execute(theirs.where(GalleryTemplateRecord.sample.in_(own)))}
    known = {(each.sample, each.model, each.model_sha256) for each in renewed}
    return set(session.scalars(own)) == {each.number for each in samples} and made == known


def _people(session: Session, *conditions: ColumnElement[bool]) -> list[PersonRow]:
    person, sample = GalleryPersonRecord, GallerySampleRecord
    count = select(func.count()).where(sample.person == person.number).scalar_subquery()
    query = select(person, count).where(*conditions).order_by(person.number)
    return [
        PersonRow(found.number, found.pseudonym, found.key, found.issue, found.name, found.created, samples)
        for found, samples in session.execute(query).tuples()
    ]


def _sample(record: GallerySampleRecord) -> SampleRow:
    return SampleRow(record.number, record.person, record.tag, record.kind, record.content)


def _templates(engine: Engine, *conditions: ColumnElement[bool]) -> Iterator[TemplateRow]:
    template, sample = GalleryTemplateRecord, GallerySampleRecord
    columns = (template.sample, sample.person, sample.tag, sample.kind, template.model, template.model_sha256)
    query = select(*columns, template.content, template.failure).join(sample, sample.number == template.sample)
    ordered = query.where(*conditions).order_by(sample.person, sample.number)
    with reading(engine) as session, closing(session.execute(ordered.execution_options(yield_per=BATCH))) as rows:
        yield from (TemplateRow(*row) for row in rows)
