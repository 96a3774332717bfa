"""Paper B's experiments (section 4) on the photos at hand: who trains, who validates, which photos are one input."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from infra.profiles.classifiers import ClassifiersConfig, ExpressionConfig, GenderConfig, IndividualConfig
from models.classifiers.design import Design, build_design
from models.protocols.own import photo_folds
from models.protocols.photos import (
    fei_gender_split,
    kdef_expression_split_by_image,
    kdef_expression_split_by_subject,
    kdef_individual_split,
)
from models.protocols.splits import Aggregate, Split, aggregates
from models.protocols.views import at_most, single_photos, whole_people, with_views
from models.readers.records import PhotoRecord

INDIVIDUAL, GENDER, EXPRESSION, EXPRESSION_BY_IMAGE = "individual", "gender", "expression", "expression by image"
TASKS = (INDIVIDUAL, GENDER, EXPRESSION)


class Experiment(NamedTuple):
    """One fold of one protocol: `sets` is what coefficient classifiers are given, `photos` the same one by one.

    `name` is the task and, where there are two, the split; `leaks` says whether people are on both sides who are not
    themselves the classes.
    """

    name: str
    task: str
    fold: int
    sets: Design
    photos: Design
    leaks: bool


def individual_experiments(records: Sequence[PhotoRecord], config: IndividualConfig, seed: int) -> list[Experiment]:
    """Some people, each on both sides with other photos; every choice of a few photos is an input (paper B, 4.1)."""
    found: list[Experiment] = []
    for fold in range(config.folds):
        counts = (config.people, config.training, config.validation)
        split = kdef_individual_split(records, seed, *counts, fold=fold, folds=config.folds)
        found.append(_experiment(INDIVIDUAL, INDIVIDUAL, fold, split, aggregates(split, config.photos_pooled)))
    return found


def gender_experiments(records: Sequence[PhotoRecord], config: GenderConfig, seed: int) -> list[Experiment]:
    """Half of the women and men train, the others validate, each of them one input (paper B, 4.3)."""
    found: list[Experiment] = []
    for fold in range(config.folds):
        split = fei_gender_split(records, seed, fold, config.folds)
        few = at_most(aggregates(split, config.photos_pooled), config.sets_per_person, seed)
        inputs = [*_side("training", few), *_side("validation", whole_people(split))]
        found.append(_experiment(GENDER, GENDER, fold, split, inputs))
    return found


def expression_experiments(records: Sequence[PhotoRecord], config: ExpressionConfig, seed: int) -> list[Experiment]:
    """Photos with all views of the same face on their side, split by subject and, as the paper has it, by image."""
    face = {record.path: f"{record.labels.get('session', '')}" for record in records}
    gender = {record.path: record.gender or "" for record in records}
    found: list[Experiment] = []
    for fold in range(config.folds):
        split = kdef_expression_split_by_subject(records, seed, fold, config.folds)
        inputs = list(with_views(split, face.__getitem__))
        found.append(_experiment(EXPRESSION, EXPRESSION, fold, split, inputs, {GENDER: gender}))
    for fold in range(config.image_split_folds):
        split = kdef_expression_split_by_image(records, seed, fold, max(config.folds, config.image_split_folds))
        inputs = list(with_views(split, face.__getitem__))
        found.append(_experiment(EXPRESSION_BY_IMAGE, EXPRESSION, fold, split, inputs))
    return found


def own_experiments(records: Sequence[PhotoRecord], folds: int, seed: int) -> list[Experiment]:
    """The people of any collection, cross-validated over their photos, one photo an input."""
    found: list[Experiment] = []
    for fold, split in enumerate(photo_folds(records, folds, seed)):
        found.append(_experiment(INDIVIDUAL, INDIVIDUAL, fold, split, single_photos(split)))
    return found


def all_experiments(
    kdef: Sequence[PhotoRecord], fei: Sequence[PhotoRecord], config: ClassifiersConfig, seed: int
) -> dict[str, list[Experiment]]:
    """Every experiment by its name, a list of folds each."""
    found: dict[str, list[Experiment]] = {}
    for each in (
        *individual_experiments(kdef, config.individual, seed),
        *gender_experiments(fei, config.gender, seed),
        *expression_experiments(kdef, config.expression, seed),
    ):
        found.setdefault(each.name, []).append(each)
    return found


def _experiment(
    name: str,
    task: str,
    fold: int,
    split: Split,
    inputs: Iterable[Aggregate],
    further: dict[str, dict[str, str]] | None = None,
) -> Experiment:
    listed, single = list(inputs), list(single_photos(split))
    sets, photos = (
        build_design(_side("training", each), _side("validation", each), task, split.hash(), further)
        for each in (listed, single)
    )
    leaks = task != INDIVIDUAL and bool(split.subjects_on_both_sides())
    return Experiment(name, task, fold, sets, photos, leaks)


def _side(part: str, inputs: Iterable[Aggregate]) -> list[Aggregate]:
    return [each for each in inputs if each.part == part]
