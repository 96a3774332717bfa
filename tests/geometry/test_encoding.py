import numpy as np
from numpy.testing import assert_allclose

from models.geometry.encoding import decode_normals, encode_normals
from models.types import NormalImages


def some_normals():
    rng = np.random.default_rng(0)
    normals = rng.normal(size=(20, 30, 3))
    normals[..., 2] = np.abs(normals[..., 2])
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    normals[0, :3] = np.array([[-1, 0, 0], [0, -1, 0], [1, 0, 0]])
    valid = rng.random((20, 30)) > 0.3
    valid[0, :3] = True
    return NormalImages((normals * valid[..., None]).astype(np.float32), valid)


def test_bytes_are_the_papers_scaling_and_zero_only_outside():
    images = some_normals()
    planes = encode_normals(images)
    assert planes.shape == (3, 20, 30)
    assert ((planes == 0) == ~images.valid).all()
    assert planes[0, 0, 2] == 255
    assert planes[0, 0, 0] == 1
    expected = np.maximum(np.rint(127.5 * (images.normals[images.valid] + 1)), 1)
    assert (expected == planes[:, images.valid].T).all()


def test_decoding_gives_back_the_mask_and_the_normals_to_a_step():
    images = some_normals()
    decoded = decode_normals(encode_normals(images))
    assert (decoded.valid == images.valid).all()
    assert_allclose(decoded.normals, images.normals, atol=0.009)
    assert_allclose(np.linalg.norm(decoded.normals[decoded.valid], axis=-1), 1, atol=1e-6)
