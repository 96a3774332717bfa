"""Pose and camera in torch: batched, differentiable, on any device; the conventions of `models.rendering.camera`."""

import torch
from jaxtyping import Float
from torch import Tensor

from models.rendering.camera import PerspectiveCamera


def rotations(angles_rad: Float[Tensor, "b 3"]) -> Float[Tensor, "b 3 3"]:
    """Rz(roll) @ Ry(yaw) @ Rx(pitch) of each row (pitch, yaw, roll), radians; as `rotation_from_angles`."""
    (sx, sy, sz), (cx, cy, cz) = angles_rad.sin().unbind(1), angles_rad.cos().unbind(1)
    rows = [
        [cy * cz, sx * sy * cz - cx * sz, cx * sy * cz + sx * sz],
        [cy * sz, sx * sy * sz + cx * cz, cx * sy * sz - sx * cz],
        [-sy, sx * cy, cx * cy],
    ]
    return torch.stack([torch.stack(row, dim=1) for row in rows], dim=1)


def place(
    points: Float[Tensor, "b n 3"], angles_rad: Float[Tensor, "b 3"], translation_mm: Float[Tensor, "b 3"]
) -> Float[Tensor, "b n 3"]:
    """Face frame to camera frame (paper B eq. 4, R s + t): turned about the origin, then moved; mm."""
    return points @ rotations(angles_rad).transpose(1, 2) + translation_mm[:, None]


def project_points(points: Float[Tensor, "b n 3"], camera: PerspectiveCamera) -> Float[Tensor, "b n 2"]:
    """Camera frame (mm) to (pixel x right, pixel y down); points must be in front of the camera, at negative z."""
    shares = points[..., :2] / -points[..., 2:]
    return shares * shares.new_tensor([camera.focal_px, -camera.focal_px]) + shares.new_tensor(camera.centre_xy)
