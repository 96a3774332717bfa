"""Who appears in which simulated data set: everybody in one only, and nobody in any training.

All are of the population's split "benchmark"; each data set has a block of it, so that merged sets share no person.
"""

from typing import Literal

from models.faceworld.studio import Studio
from models.morphable.population import Person, Split

SPLIT: Split = "benchmark"
DataSetName = Literal["bu3dfe", "frgc", "bosphorus", "bu4dfe", "kdef", "fei"]
FIRST: dict[DataSetName, int] = {
    "bu3dfe": 0,
    "frgc": 10_000,
    "bosphorus": 20_000,
    "bu4dfe": 30_000,
    "kdef": 40_000,
    "fei": 50_000,
}


def cast_people(studio: Studio, data_set: DataSetName, seed: int, people: int) -> list[Person]:
    """The first `people` of a data set's block, women and men as they come."""
    return [studio.person(SPLIT, seed, FIRST[data_set] + number) for number in range(people)]


def cast_women_and_men(studio: Studio, data_set: DataSetName, seed: int, women: int, men: int) -> list[Person]:
    """The first so many women and men of a data set's block, in the order in which they come."""
    wanted, chosen = {True: women, False: men}, list[Person]()
    index = FIRST[data_set]
    while wanted[True] or wanted[False]:
        person = studio.person(SPLIT, seed, index)
        if wanted[person.is_female]:
            wanted[person.is_female] -= 1
            chosen.append(person)
        index += 1
    return chosen
