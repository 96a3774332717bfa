"""The two real head scans, and the grid and template most tests of geometry share."""

import json
from typing import NamedTuple

import numpy as np
import pytest

from models.geometry.range_image import Grid
from models.geometry.template import template_from
from models.types import Scan
from tests.geometry.analytic_surfaces import generic_face


class Head(NamedTuple):
    scan: Scan
    nose_tip: np.ndarray


def read_obj(path):
    rows = [line.split() for line in path.read_text().splitlines()]
    vertices = [row[1:4] for row in rows if row[:1] == ["v"]]
    triangles = [[int(corner.split("/")[0]) - 1 for corner in row[1:4]] for row in rows if row[:1] == ["f"]]
    return Scan(np.array(vertices, np.float32), np.array(triangles, np.int32))


@pytest.fixture(scope="session")
def heads(real_data):
    """Both real heads with the nose tips their makers marked."""
    folder = real_data / "scans"
    marked = json.loads((folder / "james.ljson").read_text())["groups"]["LJSON"]["landmarks"]["points"]
    demo = np.loadtxt(folder / "DemoFaceLandmarks.csv", delimiter=",")
    return {
        "james": Head(read_obj(folder / "james.obj"), np.array(marked[37])),
        "demo": Head(read_obj(folder / "DemoFace_10K.obj"), demo[2]),
    }


@pytest.fixture(scope="session")
def grid():
    return Grid(112, 112, 1.6)


@pytest.fixture(scope="session")
def template():
    return template_from(generic_face())
