"""The visible surface of a head cut out of the whole-body mesh: skin, eyelids and the fronts of both eyeballs."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.sparse import csr_matrix, identity, vstack

from models.morphable.building.makehuman import BaseMesh
from models.morphable.building.surface import boundary_loops, split_quads
from models.morphable.subdivision import loop_subdivision

# Colours of the segmentation image that ships with the mesh.
HEAD, MOUTH_CAVITY = (90, 86, 255), (112, 172, 255)
EYE_CAVITIES = ((253, 249, 16), (249, 108, 136))
EYE_FRONTS = {"helper-l-eye": (16, 231, 186), "helper-r-eye": (16, 115, 231)}
LID_RINGS = 2  # rows of quads kept behind the lid margin, so that no gap shows beside the eyeball
NECK_SLOPE, NECK_BOTTOM_MM, NECK_HALF_WIDTH_MM = 0.45, 607.0, 66.0  # the slanted plane at which the neck is cut
MOUTH_DEPTH_MM = 7.0  # how far behind the inner lips the sheet lies that closes the mouth


class Head(NamedTuple):
    """Head vertices as a fixed linear map of the body's, with the loops that bound its openings."""

    gather: csr_matrix
    base: NDArray[np.float64]
    triangles: NDArray[np.int64]
    texture: NDArray[np.float64]
    eye: NDArray[np.int8]
    mouth: NDArray[np.bool_]
    mouth_triangles: NDArray[np.int64]
    lid_loops: tuple[NDArray[np.int64], NDArray[np.int64]]
    mouth_loop: NDArray[np.int64]


def cut_head(mesh: BaseMesh, data: Path) -> Head:
    """Select the visible head, subdivide the coarse eyeballs once, and renumber."""
    segments = np.asarray(Image.open(data / "segmentation/body_parts_segmentation.png").convert("RGB"))
    body = mesh.quads["body"]
    colours = _quad_colours(mesh, "body", segments)
    head = _is(colours, HEAD)
    loops = boundary_loops(body[head])
    skin = body[head | _lid_rows(body, colours, body[head]) | _neck(mesh, colours, body)]
    eyes = [mesh.quads[name][_is(_quad_colours(mesh, name, segments), c)] for name, c in EYE_FRONTS.items()]
    return _assemble(mesh, skin, eyes, loops)


def lip_arcs(loop: NDArray[np.int64], vertices: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The inner-lip loop in two equal halves, above and below, both from left to right."""
    quarter = (len(loop) // 2 - 1) // 2
    middle = int(np.argmax(np.where(np.abs(vertices[loop, 0]) < 0.1, vertices[loop, 1], -np.inf)))
    turned = np.roll(loop, quarter - middle)
    halves = turned[: len(loop) // 2], turned[len(loop) // 2 :]
    upper, lower = (half if vertices[half[0], 0] < vertices[half[-1], 0] else half[::-1] for half in halves)
    return upper, lower


def mouth_sheet(upper: NDArray[np.int64], lower: NDArray[np.int64], first: int) -> NDArray[np.int64]:
    """Triangles of the sheet from the upper to the lower inner lip by way of a middle row numbered from `first`."""
    inside = first + np.arange(len(upper) - 2)
    middle = np.r_[inside[0], inside, inside[-1]]
    quads = [
        np.stack([one[:-1], two[:-1], two[1:], one[1:]], axis=1) for one, two in ((upper, middle), (middle, lower))
    ]
    caps = [[upper[0], lower[0], inside[0]], [upper[-1], inside[-1], lower[-1]]]
    triangles = np.concatenate([*(quad[:, part] for quad in quads for part in ([0, 1, 2], [0, 2, 3])), np.array(caps)])
    distinct = (triangles != np.roll(triangles, 1, axis=1)).all(axis=1)
    return triangles[distinct]


def _is(colours: NDArray[np.uint8], colour: tuple[int, int, int]) -> NDArray[np.bool_]:
    return (colours == np.array(colour)).all(axis=1)


def _quad_colours(mesh: BaseMesh, group: str, segments: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Colour of the segmentation image at each quad's centre in texture space."""
    height, width = segments.shape[:2]
    centre = mesh.texture[mesh.texture_quads[group]].mean(axis=1)
    column = np.clip(np.round(centre[:, 0] * width), 0, width - 1).astype(int)
    row = np.clip(np.round((1 - centre[:, 1]) * height), 0, height - 1).astype(int)
    return segments[row, column]


def _lid_rows(body: NDArray[np.int64], colours: NDArray[np.uint8], head: NDArray[np.int64]) -> NDArray[np.bool_]:
    """The socket's first rows behind the lid margin."""
    socket = _is(colours, EYE_CAVITIES[0]) | _is(colours, EYE_CAVITIES[1])
    kept = np.zeros(len(body), dtype=bool)
    reached = np.unique(head)
    for _ in range(LID_RINGS):
        kept |= socket & np.isin(body, reached).any(axis=1)
        reached = np.union1d(reached, body[kept])
    return kept


def _neck(mesh: BaseMesh, colours: NDArray[np.uint8], body: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Neck quads below the head's own cut, so that a photo does not show a floating head."""
    corners = mesh.vertices[body]
    level = corners[:, :, 1] + NECK_SLOPE * corners[:, :, 2]
    narrow = np.abs(corners[:, :, 0]).max(axis=1) < NECK_HALF_WIDTH_MM
    return _is(colours, (0, 0, 0)) & narrow & (level.min(axis=1) > NECK_BOTTOM_MM)


def _assemble(
    mesh: BaseMesh, skin: NDArray[np.int64], eyes: list[NDArray[np.int64]], loops: list[NDArray[np.int64]]
) -> Head:
    """Stack skin, subdivided eyes and the mouth's closing sheet into one vertex numbering."""
    used = np.unique(skin)
    everything = identity(len(mesh.vertices), format="csr")
    blocks, labels = [everything[used]], [np.zeros(len(used), dtype=np.int8)]
    triangles = [split_quads(np.searchsorted(used, skin), mesh.vertices[used])]
    for label, quads in ((1, eyes[0]), (2, eyes[1])):
        members = np.unique(quads)
        ball = split_quads(np.searchsorted(members, quads), mesh.vertices[members])
        finer = loop_subdivision(ball, len(members))
        triangles.append(finer.triangles + sum(len(part) for part in labels))
        blocks.append(csr_matrix(finer.weights, dtype=np.float64) @ everything[members])
        labels.append(np.full(finer.weights.shape[0], label, dtype=np.int8))
    lids = sorted((loop for loop in loops if len(loop) == 28), key=lambda loop: mesh.vertices[loop, 0].mean())
    lips = next(loop for loop in loops if len(loop) == 38)
    upper, lower = lip_arcs(lips, mesh.vertices)
    blocks.append(0.5 * (everything[upper[1:-1]] + everything[lower[1:-1]]))
    sheet = mouth_sheet(np.searchsorted(used, upper), np.searchsorted(used, lower), sum(len(part) for part in labels))
    labels.append(np.zeros(len(upper) - 2, dtype=np.int8))
    gather, eye = csr_matrix(vstack(blocks)), np.concatenate(labels)
    mouth = np.arange(len(eye)) >= len(eye) - (len(upper) - 2)
    return Head(
        gather=gather,
        base=gather @ mesh.vertices - mouth[:, None] * np.array([0.0, 0.0, MOUTH_DEPTH_MM]),
        triangles=np.concatenate([*triangles, sheet]),
        texture=gather @ _vertex_texture(mesh),
        eye=eye,
        mouth=mouth,
        mouth_triangles=sheet,
        lid_loops=(np.searchsorted(used, lids[0]), np.searchsorted(used, lids[1])),
        mouth_loop=np.searchsorted(used, lips),
    )


def _vertex_texture(mesh: BaseMesh) -> NDArray[np.float64]:
    """One texture coordinate a vertex (the head has a single chart but for its seam at the back)."""
    coordinates = np.zeros((len(mesh.vertices), 2))
    for group, quads in mesh.quads.items():
        coordinates[quads.ravel()] = mesh.texture[mesh.texture_quads[group].ravel()]
    return coordinates
