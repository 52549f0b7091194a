"""What calibration sees of what convolutions read, against windows that are cut out one by one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from ipudebug.sim.compensation.moments import Moments
from ipudebug.sim.network import FloatNetwork
from ipudebug.sim.observe import Observer
from ipudebug.sim.planning import plan_network

CASES = {
    "plain": ("Conv<pads=[1,1,1,1]>(x, w)", (5, 6, 3, 3), 1),
    "uneven pads, strides, dilations": ("Conv<pads=[0,2,3,1], strides=[2,1], dilations=[1,2]>(x, w)", (5, 6, 3, 2), 1),
    "auto_pad": ('Conv<auto_pad="SAME_LOWER", strides=[2,2]>(x, w)', (5, 6, 2, 4), 1),
    "one tap": ("Conv(x, w)", (5, 6, 1, 1), 1),
    "one tap, strides": ("Conv<strides=[2,3]>(x, w)", (5, 6, 1, 1), 1),
    "depthwise": ("Conv<group=6, pads=[1,1,1,1], strides=[2,2]>(x, w)", (12, 1, 3, 3), 6),
    "groups": ("Conv<group=3>(x, w)", (9, 2, 3, 1), 3),
    "transposed": ("ConvTranspose<strides=[2,3], pads=[1,0,0,1], output_padding=[0,1]>(x, w)", (6, 4, 3, 4), 1),
    "transposed, groups": ("ConvTranspose<group=2, strides=[2,2], dilations=[2,1]>(x, w)", (6, 2, 2, 3), 2),
}
SIZE = (2, 6, 9, 11)


def observe(expression: str, shape: tuple[int, ...], arrays: list[np.ndarray], images: tuple[str, ...] = ()) -> Moments:
    """Return the moments of the one convolution of a net."""
    text = f"""<ir_version: 8, opset_import: ["" : 17]>
        net (float[{",".join(map(str, SIZE))}] x, float[{",".join(map(str, shape))}] w) => (float[a,b,c,d] y)
        {{ y = {expression} }}"""
    model = onnx.parser.parse_model(text)
    weights = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    model.graph.initializer.append(onnx.numpy_helper.from_array(weights, "w"))
    del model.graph.input[1]
    model = onnx.shape_inference.infer_shapes(model, strict_mode=True)
    network = FloatNetwork(model)
    observer = Observer(plan_network(network, images), sampled=(), with_moments=True, workers=2)
    seen = observer.observe([((str(place),), {"x": array}) for place, array in enumerate(arrays)])
    moments = seen["y"].read
    assert moments is not None
    return moments


def mean_by_probing(expression: str, shape: tuple[int, ...], array: np.ndarray) -> np.ndarray:
    """The mean that every single weight meets: the mean output where that weight is one and all others are zero."""
    text = f"""<ir_version: 8, opset_import: ["" : 17]>
        net (float[{",".join(map(str, SIZE))}] x, float[{",".join(map(str, shape))}] w) => (float[a,b,c,d] y)
        {{ y = {expression} }}"""
    session = onnxruntime.InferenceSession(onnx.parser.parse_model(text).SerializeToString())
    found = np.zeros(shape)
    for place in np.ndindex(*shape):
        weights = np.zeros(shape, np.float32)
        weights[place] = 1
        (y,) = session.run(None, {"x": array, "w": weights})
        found[place] = y.astype(np.float64).mean(axis=(0, 2, 3)).sum()
    return found


@pytest.mark.parametrize("name", CASES)
def test_means_are_those_that_the_weights_meet(name: str) -> None:
    expression, shape, groups = CASES[name]
    random = np.random.default_rng(1)
    arrays = [random.uniform(0, 2, SIZE).astype(np.float32) for _ in range(2)]
    moments = observe(expression, shape, arrays)
    expected = np.mean([mean_by_probing(expression, shape, array) for array in arrays], axis=0)
    if expression.startswith("ConvTranspose"):
        parts = expected.reshape(groups, -1, *shape[1:])[..., ::-1, ::-1]
        expected = parts.swapaxes(1, 2).reshape(-1, parts.shape[1], *shape[2:])
    filters = len(expected)
    found = moments.expect(expected.shape, groups, filters)
    means = np.broadcast_to(found.mean.transpose(0, 3, 1, 2), expected.shape)
    assert np.allclose(means, expected, rtol=1e-5, atol=1e-6)
    size = filters // groups
    for part in range(groups):
        rows = slice(part * size, (part + 1) * size)
        of_group = moments.expect(expected[rows].shape, groups, filters, rows).mean
        assert np.array_equal(of_group, found.mean if groups == 1 else found.mean[rows])


@pytest.mark.parametrize("pads", [[0, 0, 0, 0], [1, 0, 2, 1]])
def test_the_covariance_of_pixels_is_that_of_their_windows(pads: list[int]) -> None:
    random = np.random.default_rng(1)
    arrays = [random.uniform(-1, 2, SIZE).astype(np.float32) for _ in range(3)]
    moments = observe(f"Conv<pads={pads}, strides=[1,2]>(x, w)", (5, 6, 3, 2), arrays, images=("x",))
    windows = []
    for array in arrays:
        wide = np.pad(array.astype(np.float64), ((0, 0), (0, 0), (pads[0], pads[2]), (pads[1], pads[3])))
        for image in wide:
            for top in range(image.shape[1] - 2):
                places = range(0, image.shape[2] - 1, 2)
                cut = (image[:, top : top + 3, left : left + 2].transpose(1, 2, 0) for left in places)
                windows.extend(each.reshape(-1) for each in cut)
    covariance = moments.expect((5, 6, 3, 2), 1, 5).covariance
    assert covariance is not None
    assert np.allclose(covariance, np.cov(np.array(windows).T, bias=True), atol=1e-5)


def test_other_tensors_than_pixels_have_none() -> None:
    array = np.random.default_rng(1).uniform(0, 2, SIZE).astype(np.float32)
    assert observe("Conv(x, w)", (5, 6, 3, 3), [array]).expect((5, 6, 3, 3), 1, 5).covariance is None


def test_a_product_meets_its_columns(tmp_path: Path) -> None:
    model = onnx.parser.parse_model("""<ir_version: 8, opset_import: ["" : 18]>
        net (float[3,4,5] x) => (float[3,4,2] y) <float[5,2] w = {1,2,3,4,5,6,7,8,9,10}> { y = MatMul(x, w) }""")
    observer = Observer(plan_network(FloatNetwork(model)), sampled=(), with_moments=True, workers=1)
    array = np.random.default_rng(1).standard_normal((3, 4, 5)).astype(np.float32)
    moments = observer.observe([(("a",), {"x": array}), (("b",), {"x": 2 * array})])["y"].read
    assert moments is not None
    found = moments.expect((2, 5, 1, 1), 1, 2).mean
    assert np.allclose(found[:, 0, 0], [1.5 * array.astype(np.float64).mean(axis=(0, 1))], rtol=1e-5)
