"""The VRML reader against a slow tokenizer that goes character by character."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import ScanError
from models.readers.vrml import parse_vrml, write_vrml
from models.types import Scan


def slow_tokens(text):
    """Words and brackets one after another; strings vanish, comments too."""
    tokens, word, k = [], "", 0
    while k <= len(text):
        letter = text[k] if k < len(text) else " "
        if letter == '"':
            k += 1
            while text[k] != '"':
                k += 2 if text[k] == "\\" else 1
        elif letter == "#":
            while k < len(text) and text[k] not in "\r\n":
                k += 1
        if letter in ' \t\r\n,{}[]"#':
            if word:
                tokens.append(word)
            word = ""
            if letter in "{}[]":
                tokens.append(letter)
        else:
            word += letter
        k += 1
    return tokens


def slow_mesh(text):
    """Points of the first Coordinate, triangles of coordIndex as fans."""
    tokens = slow_tokens(text)

    def numbers(start):
        return [float(token) for token in tokens[start : tokens.index("]", start)]]

    points = numbers(tokens.index("point", tokens.index("Coordinate")) + 2)
    triangles, polygon = [], []
    for index in [*numbers(tokens.index("coordIndex") + 2), -1]:
        if index >= 0:
            polygon.append(int(index))
            continue
        triangles += [[polygon[0], a, b] for a, b in itertools.pairwise(polygon[1:])]
        polygon = []
    return np.array(points).reshape(-1, 3), np.array(triangles)


SPACES = st.sampled_from([" ", ", ", "\n", "\t", " ,\n", "\r\n", " # 7 ] } note\n", ",  "])
NUMBERS = st.one_of(
    st.floats(-500, 500).map(repr), st.integers(-99, 99).map(str), st.sampled_from(["-.5", "1.", "+2e1", "3E-2", "-0"])
)


@st.composite
def scenes(draw):
    count = draw(st.integers(3, 12))
    points = [draw(NUMBERS) for _ in range(3 * count)]
    polygons = draw(st.lists(st.lists(st.integers(0, count - 1), min_size=3, max_size=6), min_size=1, max_size=8))
    indices = [str(index) for polygon in polygons for index in (*polygon, -1)]
    if draw(st.booleans()):
        indices.pop()  # the last -1 may be missing

    def spaced(words):
        return "".join(word + draw(SPACES) for word in words)

    texture = "texCoord TextureCoordinate { point [ 9 9, 8 8 ] }\n texCoordIndex [ 0 0 1 -1 ]\n"
    before, after = (texture, "") if draw(st.booleans()) else ("", texture)
    start = draw(st.sampled_from(["coord Coordinate { point [", "coord DEF face-1 Coordinate\n{\n point\n[\n"]))
    return (
        "#VRML V2.0 utf8\nGroup { children [ Shape {\n appearance Appearance { texture ImageTexture "
        '{ url "a # ] } \\" b.bmp" } }\n geometry IndexedFaceSet {\n solid FALSE '
        f"{before}{start}{spaced(points)}] }}\n {after} coordIndex [{spaced(indices)}]\n}}\n}} ] }}\n"
    )


@settings(max_examples=80, deadline=None)
@given(scenes())
def test_any_spacing_commas_comments_and_polygons_read_as_by_the_slow_tokenizer(text):
    points, triangles = slow_mesh(text)
    scan = parse_vrml(text.encode(), "x.wrl")
    np.testing.assert_array_equal(scan.vertices, points.astype(np.float32))
    np.testing.assert_array_equal(scan.triangles, triangles)


def small_scan(colours=True, count=40):
    generator = np.random.default_rng(0)
    vertices = (generator.normal(size=(count, 3)) * 80).astype(np.float32)
    triangles = generator.integers(0, count, (60, 3)).astype(np.int32)
    paint = generator.integers(0, 256, (count, 3)).astype(np.uint8) if colours else None
    return Scan(vertices, triangles, paint)


@pytest.mark.parametrize("colours", [True, False])
def test_a_scan_survives_writing_and_reading(colours):
    scan = small_scan(colours)
    back = parse_vrml(write_vrml(scan, "a.bmp"), "x.wrl")
    np.testing.assert_allclose(back.vertices, scan.vertices, atol=1e-5)
    np.testing.assert_array_equal(back.triangles, scan.triangles)
    if colours:
        np.testing.assert_array_equal(back.colours, scan.colours)
    else:
        assert back.colours is None


def mesh_text(inner="", points="0 0 0, 1 0 0, 0 1 0", indices="0 1 2 -1", before="Shape {", after="}"):
    return (
        f"#VRML V2.0 utf8\n{before} geometry IndexedFaceSet {{ {inner} coord Coordinate {{ point [{points}] }} "
        f"coordIndex [{indices}] }} {after}"
    ).encode()


def test_clockwise_faces_are_turned():
    assert parse_vrml(mesh_text("ccw FALSE"), "x").triangles.tolist() == [[2, 1, 0]]
    assert parse_vrml(mesh_text("ccw TRUE"), "x").triangles.tolist() == [[0, 1, 2]]


def test_a_transform_that_moves_nothing_is_accepted_and_one_that_does_is_refused():
    still = "Transform { translation 0 0 0 rotation 0 0 1 0 scale 1 1 1 children [ Shape {"
    assert len(parse_vrml(mesh_text(before=still, after="} ] }"), "x").vertices) == 3
    for moved in ("translation 1 0 0", "scale 2 2 2", "rotation 0 0 1 0.5"):
        with pytest.raises(ScanError, match=f"Transform changes the mesh's {moved.split()[0]}"):
            parse_vrml(mesh_text(before=f"Transform {{ {moved} children [ Shape {{", after="} ] }"), "x")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "does not begin"),
        (b"#VRML V1.0 ascii\nSeparator {}", "does not begin"),
        (b"#VRML V2.0 utf8\nShape {}", "no point list"),
        (mesh_text(points="0 0 0, 1 0 0, 0 1"), "no triples"),
        (mesh_text(points="0 0 0, 1 0 x, 0 1 0"), "not a number"),
        (mesh_text(points="0 0 0, 1-2 0 0, 0 1 0"), "not a number"),
        (mesh_text(points="0 0 0, nan 0 0, 0 1 0"), "not finite"),
        (mesh_text(points="0 0 0, 1e999 0 0, 0 1 0"), "not finite"),
        (mesh_text(points="0 0 0, 1e30 0 0, 0 1 0"), "mm away"),
        (mesh_text(points=""), "0 vertices"),
        (mesh_text(points="0 0 0, 1 0 0, \xff 1 0"), "not a number"),
        (mesh_text(indices="0 1 3 -1"), "outside 0 to 2"),
        (mesh_text(indices="0 1 99999999999999999999 -1"), "outside 0 to 2"),
        (mesh_text(indices="0 1 -1"), "polygon of 2 corners"),
        (mesh_text(indices="0 1 2 -2"), "below -1"),
        (mesh_text(indices="0 1 2.5 -1"), "not a number"),
        (mesh_text(indices=""), "0 polygons"),
        (mesh_text(after="} Shape { geometry IndexedFaceSet { coordIndex [0 1 2 -1] } }"), "more than one"),
        (mesh_text("color Color { color [ 1 1 1 ] }"), "1 colours"),
        (mesh_text("color Color { color [ 1 1 1 2 0 0 0 0 0 ] }"), "colours in"),
        (mesh_text(after=""), "never closed"),
        (mesh_text(after="} }"), "without its opening"),
        (mesh_text(after='"torn }'), "string is never closed"),
        (b"#VRML V2.0 utf8\n" + b"a " * 100_001, "words outside"),
        (b"#VRML V2.0 utf8\n" + b"{" * 50_000, "64 deep"),
    ],
)
def test_every_damage_has_its_reason(data, reason):
    with pytest.raises(ScanError, match=reason):
        parse_vrml(data, "x.wrl")
