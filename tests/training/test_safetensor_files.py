import json

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import nn

from models.errors import ArtefactError
from models.training.safetensor_files import load_nested, load_weights, save_nested, save_weights

plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
nested = st.recursive(
    plain,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=4) | st.integers(), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(nested)
def test_any_nesting_of_plain_values_comes_back_with_its_types(tmp_path_factory, value):
    path = tmp_path_factory.mktemp("nested") / "x.safetensors"
    save_nested(path, value)
    assert repr(load_nested(path)) == repr(value)


def test_tensors_of_every_kind_and_layout_come_back_bit_for_bit(tmp_path):
    shared = torch.randn(4, 3, 2, 2)
    tensors = {
        "channels last": shared.to(memory_format=torch.channels_last),
        "shared": shared,
        "view": shared[1:, ::2],
        "scalar": torch.tensor(3),
        "empty": torch.zeros(0, 2),
        "half": torch.randn(3).bfloat16(),
        "flag": torch.tensor([True, False]),
        "odd": torch.tensor([float("nan"), -0.0, float("inf")]),
    }
    save_nested(tmp_path / "x", {0: list(tensors.items())})
    for name, tensor in load_nested(tmp_path / "x")[0]:
        assert tensor.dtype == tensors[name].dtype
        assert tensor.shape == tensors[name].shape
        assert torch.equal(
            tensor.contiguous().view(-1).view(torch.uint8), tensors[name].contiguous().view(-1).view(torch.uint8)
        )


def test_what_could_run_code_cannot_be_stored(tmp_path):
    with pytest.raises(ArtefactError, match="a function cannot be stored"):
        save_nested(tmp_path / "x", {"callback": lambda: None})
    assert not list(tmp_path.iterdir())


def test_every_flipped_byte_is_noticed(tmp_path):
    path = tmp_path / "x"
    save_nested(path, {"weights": torch.arange(6.0), "epoch": 3})
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x01]) + whole[place + 1 :])
        try:
            content = load_nested(path)
        except ArtefactError:
            continue
        # what the hash does not cover is the spelling of the header alone: the content must be untouched
        assert content["epoch"] == 3
        assert torch.equal(content["weights"], torch.arange(6.0))


def test_a_torn_or_missing_file_is_refused(tmp_path):
    path = tmp_path / "x"
    save_nested(path, {"weights": torch.arange(6.0)})
    whole = path.read_bytes()
    for length in (0, 4, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ArtefactError, match="train again"):
            load_nested(path)
    path.unlink()
    with pytest.raises(ArtefactError, match="cannot be read"):
        load_nested(path)


def test_a_foreign_safetensors_file_is_refused(tmp_path):
    save_file({"a": torch.zeros(1)}, tmp_path / "x")
    with pytest.raises(ArtefactError, match="not a trinormal"):
        load_nested(tmp_path / "x")


def test_a_tree_that_was_changed_by_hand_is_refused(tmp_path):
    save_file({}, tmp_path / "x", {"format": "trinormal-1", "tree": json.dumps(1), "sha256": "0"})
    with pytest.raises(ArtefactError, match="does not match its hash"):
        load_nested(tmp_path / "x")


def test_weights_and_notes_come_back_into_a_network_of_the_same_shape_only(tmp_path):
    first, second = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)), nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    first(torch.randn(4, 3))
    save_weights(tmp_path / "w", first, {"width": "0.25"})
    assert load_weights(tmp_path / "w", second) == {"width": "0.25"}
    assert all(
        torch.equal(a, b) for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    )
    with pytest.raises(ArtefactError, match="another network"):
        load_weights(tmp_path / "w", nn.Linear(3, 2))
    save_nested(tmp_path / "other", [1])
    with pytest.raises(ArtefactError, match="another network"):
        load_weights(tmp_path / "other", second)


def test_equal_values_give_equal_bytes_every_time(tmp_path):
    """Artefacts are compared by their bytes; the library's own order of the metadata is another in every call."""
    weights = nn.Linear(3, 2)
    written = set()
    for number in range(12):
        save_weights(tmp_path / str(number), weights, {"b": "grün", "a": "\n"})
        written.add((tmp_path / str(number)).read_bytes())
    assert len(written) == 1
    assert load_weights(tmp_path / "0", weights) == {"b": "grün", "a": "\n"}


def test_a_file_in_the_order_of_the_library_is_read_too(tmp_path):
    save_nested(tmp_path / "x", {"a": torch.ones(3)})
    data = (tmp_path / "x").read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    header["__metadata__"] = dict(reversed(header["__metadata__"].items()))
    text = json.dumps(header).encode()
    (tmp_path / "y").write_bytes(len(text).to_bytes(8, "little") + text + data[8 + length :])
    assert torch.equal(load_nested(tmp_path / "y")["a"], torch.ones(3))
