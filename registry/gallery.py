"""The gallery of enrolled people: who they are, what they were enrolled with, and what each model makes of it."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Engine

from infra.database import compact
from infra.keys import KeyFolder
from registry import gallery_rows
from registry.errors import RegistryError
from registry.gallery_rows import PersonRow, SampleRow, TemplateRow
from registry.gallery_seals import GallerySeals

SETTLED = timedelta(hours=1)
"""A key younger than this without a person may belong to an enrolment on its way."""
Convert = Callable[[int, int, bytes], bytes]


class Version(NamedTuple):
    """A model version by the hash of its graph: templates of unlike versions never meet."""

    model: str
    sha256: str


class Person(NamedTuple):
    """An enrolled person by name. `issue` counts how often their templates were issued anew."""

    number: int
    name: str
    issue: int
    samples: int
    created: datetime


class Sample(NamedTuple):
    """A sample, opened; `content` is None where only its templates are kept. `issue` is that of its person."""

    row: SampleRow
    issue: int
    content: bytes | None


class Template(NamedTuple):
    """An opened template: whose, of which sort of sample, under which issue; `content` as it was put in."""

    person: int
    kind: str
    issue: int
    content: bytes


class Made(NamedTuple):
    """What a version makes of a sample: a template's bytes, or the reason why there is none (which names nobody)."""

    sample: Sample
    content: bytes | None
    failure: str | None = None


class Gallery:
    """Everybody enrolled in one database, under the keys of one home."""

    def __init__(self, engine: Engine, keys: KeyFolder) -> None:
        self._engine = engine
        self._keys = keys
        self._seals = GallerySeals(keys)

    def people(self) -> list[Person]:
        """Everybody, in the order of enrolment."""
        return [self._person(row) for row in self._rows().values()]

    def find(self, name: str) -> Person | None:
        """Somebody by name, who need not be enrolled."""
        row = gallery_rows.find_person(self._engine, self._seals.pseudonym(name))
        return None if row is None or not self._keys.has(row.key) else self._person(row)

    def require(self, name: str) -> Person:
        """The same; raises `RegistryError` where nobody of that name is enrolled."""
        found = self.find(name)
        if found is None:
            raise _nobody(name)
        return found

    def add(self, name: str, kind: str, content: bytes, *, keep: bool = True) -> tuple[Sample, bool]:
        """A sample of somebody, who is enrolled by it if need be, and whether it is new.

        Without `keep` only its tag is stored, and templates will be all that is left of it.
        """
        person = self._enrolled(name)
        tag = self._seals.tag(person, kind, content)
        sealed = self._seals.seal_sample(person, tag, kind, content) if keep else None
        new = gallery_rows.add_sample(self._engine, person.number, tag, kind, sealed)
        return Sample(gallery_rows.find_sample(self._engine, person.number, tag), person.issue, content), new

    def pending(self, version: Version) -> Iterator[Sample]:
        """The samples that this version has not looked at yet; streamed."""
        people = self._rows()
        for row in gallery_rows.samples_without_template(self._engine, *version):
            if row.person in people:
                person = people[row.person]
                yield Sample(row, person.issue, self._seals.sample(person, row))

    def put(self, version: Version, made: Iterable[Made]) -> None:
        """Keep what a version makes of samples; of a sample that it has already, the first stays."""
        people = self._rows()
        rows: list[TemplateRow] = []
        for each in made:
            given = each.sample.row
            row = TemplateRow(given.number, given.person, given.tag, given.kind, *version, None, each.failure)
            person = people.get(given.person)
            if person is not None and person.issue == each.sample.issue:  # else forgotten or issued anew meanwhile
                rows.append(row if each.content is None else self._seals.seal_template(person, row, each.content))
        gallery_rows.add_templates(self._engine, rows)

    def templates(self, version: Version) -> Iterator[Template]:
        """What this version, and no other, made of everybody; streamed."""
        people = self._rows()
        for row in gallery_rows.templates(self._engine, *version):
            content = self._seals.template(people[row.person], row) if row.person in people else None
            if content is not None:
                yield Template(row.person, row.kind, people[row.person].issue, content)

    def failures(self, version: Version) -> list[TemplateRow]:
        """The samples of which this version could make nothing, with the reasons."""
        return [row for row in gallery_rows.templates(self._engine, *version) if row.failure is not None]

    def knows(self, model: str) -> bool:
        """Whether some version of a model has looked at anybody."""
        return gallery_rows.has_templates(self._engine, model)

    def keep_versions(self, model: str, hashes: list[str]) -> int:
        """Drop the templates of all other versions of a model; returns how many went."""
        return gallery_rows.keep_templates(self._engine, model, hashes)

    def forget(self, name: str) -> bool:
        """Destroy a person's key, then all that it opened; whether there was anybody. Safe to repeat after a kill."""
        person = gallery_rows.find_person(self._engine, self._seals.pseudonym(name))
        if person is None:
            return False
        self._keys.destroy(person.key)
        gallery_rows.delete_person(self._engine, person.number)
        compact(self._engine)
        return True

    def reissue(self, name: str, convert: Convert) -> Person:
        """A new key and new templates for somebody; whoever has the old ones has nothing that fits any more.

        `convert(old_issue, new_issue, content)` turns a template into the new issue's. Raises `RegistryError` when
        nobody of that name is enrolled, or something of theirs was added meanwhile.
        """
        old = gallery_rows.find_person(self._engine, self._seals.pseudonym(name))
        if old is None:
            raise _nobody(name)
        key = self._keys.create()
        new = old._replace(key=key, issue=old.issue + 1, name=self._seals.seal_name(key, name))
        if not gallery_rows.replace_seals(self._engine, new, *self._renewed(old, new, convert)):
            self._keys.destroy(key)
            raise RegistryError(f"{name!r} was changed while being issued anew: run the command again")
        self._keys.destroy(old.key)
        compact(self._engine)
        return self.require(name)

    def sweep(self) -> int:
        """Finish what a kill left half done: people without a key go, keys without a person too; returns how many."""
        people = gallery_rows.list_people(self._engine)
        lost = [row for row in people if not self._keys.has(row.key)]
        for row in lost:
            gallery_rows.delete_person(self._engine, row.number)
        if lost:
            compact(self._engine)
        unused = set(self._keys.names()) - {row.key for row in people}
        stale = [key for key in unused if self._keys.age(key) > SETTLED]
        for key in stale:
            self._keys.destroy(key)
        return len(lost) + len(stale)

    def _rows(self) -> dict[int, PersonRow]:
        """Everybody whose key is there, by number."""
        return {row.number: row for row in gallery_rows.list_people(self._engine) if self._keys.has(row.key)}

    def _person(self, row: PersonRow) -> Person:
        return Person(row.number, self._seals.name(row), row.issue, row.samples, row.created)

    def _enrolled(self, name: str) -> PersonRow:
        pseudonym = self._seals.pseudonym(name)
        found = gallery_rows.find_person(self._engine, pseudonym)
        if found is not None and self._keys.has(found.key):
            return found
        self.forget(name)  # does nothing, or ends a forgetting that was killed half way
        key = self._keys.create()
        person = gallery_rows.add_person(self._engine, pseudonym, key, self._seals.seal_name(key, name))
        if person.key != key:  # another process was faster
            self._keys.destroy(key)
        return person

    def _renewed(self, old: PersonRow, new: PersonRow, convert: Convert) -> tuple[list[SampleRow], list[TemplateRow]]:
        """All that is somebody's, opened with the old key and sealed with the new one."""
        samples: list[SampleRow] = []
        for row in gallery_rows.samples_of(self._engine, old.number):
            content = self._seals.sample(old, row)
            sealed = None if content is None else self._seals.seal_sample(new, row.tag, row.kind, content)
            samples.append(row._replace(content=sealed))
        made: list[TemplateRow] = []
        for row in gallery_rows.templates_of(self._engine, old.number):
            content = self._seals.template(old, row)
            converted = None if content is None else convert(old.issue, new.issue, content)
            made.append(row if converted is None else self._seals.seal_template(new, row, converted))
        return samples, made


def _nobody(name: str) -> RegistryError:
    return RegistryError(f"nobody called {name!r} is enrolled: `trinormal gallery` lists who is")
