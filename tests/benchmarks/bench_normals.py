"""5x5 plane-fit normals of a 112x112 range image beside other ways to do it, one thread each, in one run.

`python -m tests.benchmarks.bench_normals` prints images a second, the ratio to plain C++ windows (what PCL's covariance
method does; PCL itself has no Python wheel), and the largest error against float64 singular vectors of every window.
"""

import ctypes
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from models.geometry.normals import plane_fit_normals
from models.geometry.range_image import render_range_image
from models.types import RangeImage
from tests.benchmarks.bench_rasteriser import GRID, best_times, compile_c, surface

ROUNDS, BATCH = 60, 24
C_SOURCE = r"""
#include <cmath>
extern "C" void normals(const float* p, const unsigned char* ok, int h, int w, float limit, float* n) {
  for (int i = 0; i < h; ++i) for (int j = 0; j < w; ++j) {
    float* o = n + 3 * (i * w + j); o[0] = o[1] = o[2] = 0;
    if (!ok[i * w + j]) continue;
    const float* q = p + 3 * (i * w + j);
    double s[9] = {0}; int k = 0;
    for (int a = i - 2; a <= i + 2; ++a) for (int b = j - 2; b <= j + 2; ++b) {
      if (a < 0 || b < 0 || a >= h || b >= w || !ok[a * w + b]) continue;
      const float* r = p + 3 * (a * w + b);
      double x = r[0] - q[0], y = r[1] - q[1], z = r[2] - q[2];
      if (std::fabs(z) > limit) continue;
      s[0] += x; s[1] += y; s[2] += z; s[3] += x * x; s[4] += x * y; s[5] += x * z;
      s[6] += y * y; s[7] += y * z; s[8] += z * z; ++k;
    }
    if (k < 4) continue;
    for (double& v : s) v /= k;
    double xx = s[3] - s[0] * s[0], xy = s[4] - s[0] * s[1], xz = s[5] - s[0] * s[2];
    double yy = s[6] - s[1] * s[1], yz = s[7] - s[1] * s[2], zz = s[8] - s[2] * s[2];
    double m = (xx + yy + zz) / 3, a = xx - m, b = yy - m, c = zz - m;
    double size = std::sqrt((a * a + b * b + c * c + 2 * (xy * xy + xz * xz + yz * yz)) / 6);
    double det = (a * (b * c - yz * yz) - xy * (xy * c - yz * xz) + xz * (xy * yz - b * xz)) / (size * size * size);
    double angle = std::acos(std::fmax(-1, std::fmin(1, det / 2))) / 3;
    double least = m + 2 * size * std::cos(angle + 2.0943951023931953);
    xx -= least; yy -= least; zz -= least;
    double v[3][3] = {{yy * zz - yz * yz, xz * yz - xy * zz, xy * yz - xz * yy},
                      {xz * yz - xy * zz, xx * zz - xz * xz, xy * xz - xx * yz},
                      {xy * yz - xz * yy, xy * xz - xx * yz, xx * yy - xy * xy}};
    int best = 0;
    for (int r = 1; r < 3; ++r) if (v[r][r] > v[best][best]) best = r;
    double* f = v[best];
    double length = std::sqrt(f[0] * f[0] + f[1] * f[1] + f[2] * f[2]) * (f[2] < 0 ? -1 : 1);
    for (int r = 0; r < 3; ++r) o[r] = f[r] / length;
  }
}
"""

NormalMap = Callable[[], np.ndarray]


class Row(NamedTuple):
    """One contender; `ratio` is its speed over the plain C++ windows' (over the first row's without a compiler)."""

    name: str
    images_per_s: float
    ratio: float
    largest_error_deg: float


def face_image() -> RangeImage:
    """A face-like surface within a disc, half the image empty as around a face."""
    image = render_range_image(surface(113), GRID)
    rows, columns = np.mgrid[: GRID.height, : GRID.width]
    inside = image.valid & (np.hypot(rows - 55.5, columns - 55.5) < 50)
    return RangeImage(np.where(inside[..., None], image.points, np.float32(0)), inside)


def plain_c(image: RangeImage) -> NormalMap | None:
    """Every window by itself in C++, -O3, closed-form eigenvalue."""
    library = compile_c(C_SOURCE)
    if library is None:
        return None
    out = np.empty_like(image.points)
    points, valid, into = (a.ctypes.data_as(ctypes.c_void_p) for a in (image.points, image.valid, out))

    def fit() -> np.ndarray:
        library.normals(points, valid, *image.valid.shape, ctypes.c_float(8.0), into)
        return out

    return fit


def numpy_windows(image: RangeImage) -> NormalMap:
    """NumPy only: all windows as a view, one batched eigen-decomposition."""

    def fit() -> np.ndarray:
        padded = np.pad(image.points.astype(np.float64), ((2, 2), (2, 2), (0, 0)))
        there = np.pad(image.valid, 2)
        windows = np.lib.stride_tricks.sliding_window_view(padded, (5, 5), (0, 1))[image.valid].reshape(-1, 3, 25)
        share = np.lib.stride_tricks.sliding_window_view(there, (5, 5))[image.valid].reshape(-1, 1, 25)
        share = share & (np.abs(windows[:, 2:] - windows[:, 2:, 12:13]) <= 8)
        count = share.sum(axis=2, keepdims=True)
        offset = (windows - (windows * share).sum(axis=2, keepdims=True) / count) * share
        vectors = np.linalg.eigh(offset @ offset.transpose(0, 2, 1))[1][..., 0]
        out = np.zeros_like(image.points)
        out[image.valid] = vectors * np.where(vectors[:, 2:] < 0, -1, 1)
        return out

    return fit


def opencv_windows(image: RangeImage) -> NormalMap:
    """OpenCV box filters for the moments, NumPy for the eigenvectors; the depth limit is left out."""
    import cv2

    cv2.setNumThreads(1)

    def fit() -> np.ndarray:
        x, y, z = np.moveaxis(image.points.astype(np.float64), -1, 0)
        planes = np.stack([image.valid.astype(np.float64), x, y, z, x * x, x * y, x * z, y * y, y * z, z * z], axis=-1)
        sums = np.stack(
            [cv2.boxFilter(p, -1, (5, 5), normalize=False, borderType=0) for p in np.moveaxis(planes, -1, 0)]
        )
        count, mean = sums[0], sums[1:4] / np.maximum(sums[0], 1)
        places = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
        scatter = np.zeros((*count.shape, 3, 3))
        for (a, b), total in zip(places, sums[4:], strict=True):
            scatter[..., a, b] = scatter[..., b, a] = total - count * mean[a] * mean[b]
        vectors = np.linalg.eigh(scatter[image.valid])[1][..., 0]
        out = np.zeros_like(image.points)
        out[image.valid] = vectors * np.where(vectors[:, 2:] < 0, -1, 1)
        return out

    return fit


def cross_product(image: RangeImage) -> NormalMap:
    """Central differences and their cross product: fast, and no plane fit."""

    def fit() -> np.ndarray:
        down, along = np.gradient(image.points, axis=0), np.gradient(image.points, axis=1)
        normal = np.cross(along, -down)
        length = np.linalg.norm(normal, axis=-1, keepdims=True)
        return normal / np.where(length > 0, length, 1) * image.valid[..., None]

    return fit


def open3d_neighbours(image: RangeImage) -> NormalMap | None:
    """Open3D's PCA over the 25 nearest points, towards the camera."""
    try:
        import open3d as o3d
    except (ImportError, OSError):
        return None
    cloud = o3d.geometry.PointCloud(o3d.utility.Vector3dVector(image.points[image.valid].astype(np.float64)))

    def fit() -> np.ndarray:
        cloud.estimate_normals(o3d.geometry.KDTreeSearchParamKNN(25))
        normal = np.asarray(cloud.normals)
        out = np.zeros_like(image.points)
        out[image.valid] = normal * np.where(normal[:, 2:] < 0, -1, 1)
        return out

    return fit


def singular_normals(image: RangeImage) -> np.ndarray:
    """Every window by itself in float64: what all the plane fits approximate."""
    out = np.zeros(image.points.shape)
    for i, j in np.argwhere(image.valid):
        window = (slice(max(i - 2, 0), i + 3), slice(max(j - 2, 0), j + 3))
        points = image.points[window][image.valid[window]].astype(np.float64)
        points = points[np.abs(points[:, 2] - float(image.points[i, j, 2])) <= 8]
        axis = np.linalg.svd(points - points.mean(axis=0))[2][2]
        out[i, j] = axis if axis[2] >= 0 else -axis
    return out


def largest_error_deg(found: np.ndarray, truth: np.ndarray, valid: np.ndarray) -> float:
    """Largest angle between two normal maps."""
    sine = np.linalg.norm(np.cross(found.astype(np.float64), truth), axis=-1)
    return float(np.degrees(np.arctan2(sine, (found * truth).sum(axis=-1)))[valid].max())


def thread_gain(image: RangeImage) -> float:
    """How much faster two Python threads get through a batch than one."""

    def batch(threads: int) -> float:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(plane_fit_normals, [image] * threads))
            start = time.perf_counter()
            list(pool.map(lambda _: [plane_fit_normals(image) for _ in range(BATCH // threads)], range(threads)))
            return time.perf_counter() - start

    times = [(batch(1), batch(2)) for _ in range(12)]
    return min(one for one, _ in times) / min(two for _, two in times)


def run() -> list[Row]:
    """All contenders on one face-like image; the last row's ratio is that of two threads to one."""
    image = face_image()
    peers: dict[str, NormalMap | None] = {
        "plain C++ windows": plain_c(image),
        "NumPy windows": numpy_windows(image),
        "OpenCV sums + NumPy": opencv_windows(image),
        "Open3D 25 neighbours": open3d_neighbours(image),
        "cross product (no fit)": cross_product(image),
        "PCL covariance": None,
    }
    contenders: dict[str, NormalMap] = {"trinormal": lambda: plane_fit_normals(image).normals}
    contenders |= {name: fit for name, fit in peers.items() if fit is not None}
    truth = singular_normals(image)
    errors = {name: largest_error_deg(fit(), truth, image.valid) for name, fit in contenders.items()}
    best = best_times(dict(contenders), ROUNDS)
    base = best.get("plain C++ windows", best["trinormal"])
    rows = [Row(name, 1 / seconds, base / seconds, errors[name]) for name, seconds in best.items()]
    rows += [Row(f"{name} (absent)", np.nan, np.nan, np.nan) for name, fit in peers.items() if fit is None]
    return [*rows, Row("trinormal, 2 threads : 1", np.nan, thread_gain(image), errors["trinormal"])]


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    for row in run():
        print(
            f"{row.name:32s} {row.images_per_s:9.1f} images/s  {row.ratio:6.2f} x  error "
            f"{row.largest_error_deg:8.4f} deg"
        )
