"""How the gallery's rows are sealed: under each person's key, bound to the person, the sample and the model.

A person's key lies in a file, not in the database: a copy of the database alone says nothing, and destroying the key
closes every copy of it. Nothing sealed can be moved to another person, sample or model version.
"""

import unicodedata

from infra.files import sha256_bytes
from infra.keys import KeyFolder
from infra.sealing import derive, keyed_hash, seal, unseal
from registry.errors import RegistryError
from registry.gallery_rows import PersonRow, SampleRow, TemplateRow

LONGEST_NAME = 200


class GallerySeals:
    """Seals and opens what the gallery keeps, with the keys of one home."""

    def __init__(self, keys: KeyFolder) -> None:
        self._keys = keys

    def pseudonym(self, name: str) -> str:
        """What a person is found by: a hash of the name under the home's key."""
        return keyed_hash(derive(self._keys.home(), "pseudonyms"), plain_name(name))

    def tag(self, person: PersonRow, kind: str, content: bytes) -> str:
        """What a sample is known again by."""
        return keyed_hash(derive(self._keys.home(), "sample tags"), person.pseudonym, kind, sha256_bytes(content))

    def seal_name(self, key: str, name: str) -> bytes:
        """A name under the key called `key`."""
        return seal(self._keys.read(key), plain_name(name).encode(), ["name", self.pseudonym(name)])

    def name(self, person: PersonRow) -> str:
        """Whose row this is."""
        return unseal(self._keys.read(person.key), person.name, ["name", person.pseudonym]).decode()

    def seal_sample(self, person: PersonRow, tag: str, kind: str, content: bytes) -> bytes:
        """A sample's content."""
        return seal(self._keys.read(person.key), content, _of_sample(person, tag, kind))

    def sample(self, person: PersonRow, row: SampleRow) -> bytes | None:
        """The content again; None where it was not kept."""
        if row.content is None:
            return None
        return unseal(self._keys.read(person.key), row.content, _of_sample(person, row.tag, row.kind))

    def seal_template(self, person: PersonRow, row: TemplateRow, content: bytes) -> TemplateRow:
        """The row with a template's content in it."""
        return row._replace(content=seal(self._keys.read(person.key), content, _of_template(person, row)))

    def template(self, person: PersonRow, row: TemplateRow) -> bytes | None:
        """The content again; None where the model made nothing of the sample."""
        if row.content is None:
            return None
        return unseal(self._keys.read(person.key), row.content, _of_template(person, row))


def plain_name(name: str) -> str:
    """A name as it is kept: composed characters, no space around; raises `RegistryError` where it cannot be one."""
    plain = unicodedata.normalize("NFC", name).strip()
    if not plain or len(plain) > LONGEST_NAME or not plain.isprintable():
        raise RegistryError(f"{name!a}: a name has 1 to {LONGEST_NAME} printable characters")
    return plain


def _of_sample(person: PersonRow, tag: str, kind: str) -> list[str]:
    return ["sample", person.pseudonym, kind, tag]


def _of_template(person: PersonRow, row: TemplateRow) -> list[str]:
    return ["template", person.pseudonym, str(person.issue), row.kind, row.tag, row.model, row.model_sha256]
