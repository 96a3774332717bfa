"""Profiles: complete, frozen, and strict about what they hold."""

import tomllib
from importlib.resources import files

import pytest
from pydantic import ValidationError

from infra.profiles import Profile, ProfileError, load_profile, profile_names


def test_the_four_promised_profiles_are_there():
    assert profile_names() == ("demo", "paper", "standard", "tiny")


@pytest.mark.parametrize("name", ["demo", "paper", "standard", "tiny"])
def test_every_built_in_profile_loads_and_serialises(name: str):
    profile = load_profile(name)
    assert profile.name == name
    assert Profile.model_validate_json(profile.model_dump_json()) == profile


def test_profiles_grow_from_tiny_to_paper():
    people = [load_profile(name).photos.people for name in ("tiny", "demo", "standard", "paper")]
    widths = [load_profile(name).recogniser.width for name in ("tiny", "demo", "standard", "paper")]
    assert people == sorted(people)
    assert widths == sorted(widths)
    assert load_profile("paper").recogniser.width == 1.0


def test_crops_and_normal_images_have_one_size_since_one_network_sees_both():
    for name in profile_names():
        profile = load_profile(name)
        assert profile.recogniser.photo_pixels == profile.normals.pixels


def test_a_profile_cannot_be_changed():
    profile = load_profile("tiny")
    with pytest.raises(ValidationError, match="frozen"):
        profile.seed = 1
    with pytest.raises(ValidationError, match="frozen"):
        profile.photos.people = 1


def tiny() -> dict:
    return {"name": "mine", **tomllib.loads(files("infra.profiles").joinpath("tiny.toml").read_text())}


@pytest.mark.parametrize("place", [(), ("photos",), ("expnet", "world"), ("recogniser", "finetuning"), ("gate",)])
def test_an_unknown_key_is_refused_at_every_depth(place: tuple[str, ...]):
    values = tiny()
    inner = values
    for name in place:
        inner = inner[name]
    inner["surprise"] = 1
    with pytest.raises(ValidationError, match="surprise"):
        Profile.model_validate(values)


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("photos", "people", 0),
        ("benchmark", "people", 101),
        ("benchmark", "people", 1),
        ("normals", "mm_per_pixel", -1.0),
        ("expnet", "depth", 34),
        ("expnet", "loss", "l3"),
        ("gate", "fused_rank1", 1.5),
        ("recogniser", "width", float("nan")),
    ],
)
def test_values_that_make_no_sense_are_refused(section: str, key: str, value: object):
    values = tiny()
    values[section][key] = value
    with pytest.raises(ValidationError):
        Profile.model_validate(values)


def test_a_missing_section_is_named(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("[photos]\npeople = 3\nphotos_per_person = 2\n")
    with pytest.raises(ProfileError, match=rf"{path}: expnet: Field required") as told:
        load_profile(str(path))
    assert "\n" not in str(told.value)
