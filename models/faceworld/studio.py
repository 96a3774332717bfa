"""The built-in head prepared for making photos and scans: person and expression to the vertices of one fine mesh."""

from functools import cache
from typing import NamedTuple

from jaxtyping import Float32, Int32
from numpy import ndarray
from scipy.sparse import csr_array

from models.morphable.builtin import HeadModel, load_head
from models.morphable.population import Person, Split, draw_person
from models.morphable.subdivision import loop_subdivision


class Studio(NamedTuple):
    """Everything that is the same for all people; positions in mm, camera frame, origin at the template's nose tip."""

    model: HeadModel
    refine: csr_array
    triangles: Int32[ndarray, "m 3"]
    template: Float32[ndarray, "n 3"]
    masks: dict[str, Float32[ndarray, " n"]]

    def person(self, split: Split, seed: int, index: int) -> Person:
        """Person `index` of a split of the population."""
        return draw_person(self.model.bank_identity, self.model.bank_attributes, split, seed, index)

    def vertices(self, person: Person, expression: Float32[ndarray, " e"]) -> Float32[ndarray, "n 3"]:
        """The person's head with that expression on the fine mesh."""
        return self.refine @ self.model.head.shape(person.identity, expression)


@cache
def open_studio() -> Studio:
    """The studio on the once-subdivided head (about 1.8 mm between vertices)."""
    model = load_head()
    finer = loop_subdivision(model.head.triangles, len(model.head.template))
    return Studio(
        model=model,
        refine=finer.weights,
        triangles=finer.triangles,
        template=finer.weights @ model.head.template,
        masks={name: finer.weights @ values for name, values in model.head.masks.items()},
    )
