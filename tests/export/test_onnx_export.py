import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from models.errors import ArtefactError
from models.export.onnx import INPUTS, OUTPUTS, export_fused, load_session
from models.export.parity import fused_parity
from models.networks.fused import FusedBranches
from models.networks.preprocessing import use_channels_last
from models.networks.sphere20 import Sphere20


@pytest.fixture(scope="module")
def module() -> FusedBranches:
    torch.manual_seed(0)
    branches = [Sphere20(1, 0.0625, (32, 24), 16, batch_norm=True) for _ in range(3)]
    for branch in branches:
        use_channels_last(branch)(torch.randn(16, 1, 32, 24))
    return FusedBranches(*branches)


@pytest.fixture(scope="module")
def proto(module):
    return export_fused(module)


def test_the_graph_agrees_with_the_network_at_batches_it_was_not_exported_with(proto, module):
    images = np.random.default_rng(0).integers(0, 256, (3, 3, 32, 24), np.uint8)
    found = fused_parity(proto, module, images)
    assert set(found) == {f"{kind}_{count}" for kind in ("random", "real") for count in (1, 5, 16)}
    assert max(found.values()) < 1e-5


def test_inputs_and_outputs_have_their_names_and_a_free_batch_size(proto):
    assert tuple(value.name for value in proto.graph.input) == INPUTS
    assert tuple(value.name for value in proto.graph.output) == OUTPUTS
    for value in (*proto.graph.input, *proto.graph.output):
        assert value.type.tensor_type.shape.dim[0].dim_param
    session = load_session(proto.SerializeToString(), threads=1)
    found = session.run(None, {name: np.zeros((3, 1, 32, 24), np.float32) for name in INPUTS})
    assert [output.shape for output in found] == [(3, 16)] * 3


def test_each_output_depends_on_its_own_input_alone(proto):
    session = load_session(proto.SerializeToString(), threads=1)
    images = {name: np.random.default_rng(0).normal(size=(2, 1, 32, 24)).astype(np.float32) for name in INPUTS}
    before = session.run(list(OUTPUTS), images)
    after = session.run(list(OUTPUTS), {**images, "ny": -images["ny"]})
    assert [np.array_equal(a, b) for a, b in zip(before, after, strict=True)] == [True, False, True]


def test_a_graph_that_differs_from_the_network_is_refused(proto, module):
    changed = onnx.ModelProto()
    changed.CopyFrom(proto)
    weight = max(changed.graph.initializer, key=lambda tensor: len(tensor.raw_data))
    values = numpy_helper.to_array(weight).copy()
    values += 0.1
    weight.CopyFrom(numpy_helper.from_array(values, weight.name))
    with pytest.raises(ArtefactError, match="differs from the network"):
        fused_parity(changed, module, np.zeros((0, 3, 32, 24), np.uint8))


def external(name="w") -> TensorProto:
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[2], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="../../etc/passwd")
    return tensor


def model_of(nodes, initializers=()) -> bytes:
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, [2])
    graph = helper.make_graph(nodes, "g", [], [output], initializers)
    return helper.make_model(graph).SerializeToString()


def hidden_in_a_branch() -> bytes:
    output = helper.make_tensor_value_info("z", TensorProto.FLOAT, [2])
    inner = helper.make_graph([helper.make_node("Constant", [], ["z"], value=external())], "inner", [], [output])
    condition = helper.make_tensor("c", TensorProto.BOOL, [], [True])
    return model_of([helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)], [condition])


@pytest.mark.parametrize(
    "content",
    [
        model_of([helper.make_node("Identity", ["w"], ["y"])], [external()]),
        model_of([helper.make_node("Constant", [], ["y"], value=external())]),
        hidden_in_a_branch(),
    ],
    ids=["initializer", "constant", "nested graph"],
)
def test_weights_outside_the_file_are_refused_wherever_they_hide(content):
    with pytest.raises(ArtefactError, match="weights inside"):
        load_session(content)


@pytest.mark.parametrize("content", [b"", b"\x80\x04pickled", b"not a graph at all", b"\x00" * 64])
def test_what_is_no_graph_is_refused_in_one_line(content, tmp_path):
    (tmp_path / "m.onnx").write_bytes(content)
    with pytest.raises(ArtefactError) as caught:
        load_session(tmp_path / "m.onnx")
    assert "\n" not in str(caught.value)
    assert "export it again" in str(caught.value)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ArtefactError, match="cannot be read"):
        load_session(tmp_path / "absent.onnx")


def test_exporting_prints_nothing(module, capfd):
    export_fused(module)
    assert capfd.readouterr() == ("", "")
