"""Float operators in unusual shapes: every rank, broadcast, negative axes, masks, odd channels; against LiteRT."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from tests.sim.vendor.litert import compare_with_litert, fed

RANDOM = np.random.default_rng(5)
SHAPES = [(2, 3, 4, 5), (3, 4), (7,), (1, 2, 3, 4, 5), (2, 3, 4)]


def weights(*shape: int) -> np.ndarray:
    return RANDOM.normal(size=shape).astype(np.float32)


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int32)


@pytest.mark.parametrize("same", [0, 1])
@pytest.mark.parametrize(
    ("image", "made", "kernel", "strides", "dilations"),
    [
        ((1, 7, 9, 3), 5, (3, 3), (2, 1), (1, 1)),
        ((2, 8, 8, 5), 7, (2, 3), (1, 2), (1, 1)),
        ((1, 10, 6, 17), 33, (3, 2), (1, 1), (2, 3)),
        ((3, 9, 9, 1), 1, (1, 1), (3, 2), (1, 1)),
    ],
)
def test_convolutions(
    same: int, image: tuple, made: int, kernel: tuple, strides: tuple, dilations: tuple, tmp_path: Path
) -> None:
    window = {1: ("i32", strides[1]), 2: ("i32", strides[0])}
    spread = [("i32", dilations[1]), ("i32", dilations[0])]
    channels = image[3]
    for activation in (0, 1, 3):
        options = {0: ("i8", same), **window, 3: ("i8", activation), 4: spread[0], 5: spread[1]}
        inputs = [fed(*image), weights(made, *kernel, channels), weights(made)]
        compare_with_litert(tmp_path, 3, 1, inputs, options)
    for multiplier in (1, 2, 3):
        options = {0: ("i8", same), **window, 3: ("i32", multiplier), 4: ("i8", 1), 5: spread[0], 6: spread[1]}
        inputs = [fed(*image), weights(1, *kernel, channels * multiplier), weights(channels * multiplier)]
        compare_with_litert(tmp_path, 4, 2, inputs, options)


def test_a_grouped_convolution(tmp_path: Path) -> None:
    options = {0: ("i8", 0), 1: ("i32", 1), 2: ("i32", 1), 3: ("i8", 0)}
    compare_with_litert(tmp_path, 3, 1, [fed(1, 6, 6, 8), weights(6, 3, 3, 4), weights(6)], options)


@pytest.mark.parametrize(
    ("kernel", "stride", "valid"), [(3, 2, 0), (3, 2, 1), (2, 2, 0), (4, 3, 0), (2, 3, 0), (5, 2, 1)]
)
def test_transposed_convolutions(kernel: int, stride: int, valid: int, tmp_path: Path) -> None:
    height, width = (3 * stride + kernel, 4 * stride + kernel) if valid else (4 * stride - 1, 5 * stride)
    options = {0: ("i8", valid), 1: ("i32", stride), 2: ("i32", stride)}
    inputs = [ints(1, height, width, 2), weights(2, kernel, kernel, 3), fed(1, 4, 5, 3)]
    compare_with_litert(tmp_path, 67, 49, inputs, options)
    compare_with_litert(tmp_path, 67, 49, [*inputs, weights(2)], {**options, 3: ("i8", 1)})  # bias and RELU


@pytest.mark.parametrize("code", [1, 17, 12])
@pytest.mark.parametrize("valid", [0, 1])
def test_pools(code: int, valid: int, tmp_path: Path) -> None:
    for kh, kw, sh, sw, activation in [(2, 2, 2, 2, 0), (3, 3, 2, 1, 1), (1, 3, 1, 2, 3), (5, 4, 3, 3, 0)]:
        options = {1: ("i32", sw), 2: ("i32", sh), 3: ("i32", kw), 4: ("i32", kh), 5: ("i8", activation)}
        compare_with_litert(tmp_path, code, 5, [fed(2, 7, 9, 5)], {0: ("i8", valid), **options})


PAIRS = [
    ((2, 3, 4, 5), (2, 3, 4, 5)),
    ((2, 3, 4, 5), (5,)),
    ((2, 3, 4, 5), ()),
    ((2, 3, 4, 5), (4, 1)),
    ((2, 3, 4, 5), (1, 3, 1, 5)),
    ((5,), (2, 3, 4, 5)),
    ((2, 3, 1, 5), (1, 1, 4, 1)),
    ((3, 4), (4,)),
    ((6,), (6,)),
    ((2, 3, 4), (3, 1)),
    ((), ()),
    ((2, 1, 3, 4, 5), (2, 2, 1, 4, 5)),
    ((2, 2, 3, 4, 5), (5,)),
    ((), (3, 4)),
    ((2, 2, 3, 4, 5), (2, 1, 4, 5)),
]


@pytest.mark.parametrize(
    ("code", "kind"), [(0, 11), (18, 21), (41, 28), (42, 29), (55, 39), (57, 39), (78, 56), (99, 76)]
)
def test_functions_of_two_elements(code: int, kind: int, tmp_path: Path) -> None:
    activation = {0: ("i8", 1)} if kind in (11, 21, 28, 29) else {}
    for a, b in PAIRS:
        if len(a) == 5 and len(b) == 4 and code not in (0, 18, 41):
            continue  # LiteRT does not do it
        ends = [fed(*a, positive=True), fed(*b, positive=True)]
        for inputs in (ends, [ends[0], ends[1].array], [ends[0].array, ends[1]]):
            compare_with_litert(tmp_path, code, kind, inputs, activation)


@pytest.mark.parametrize(("code", "kind"), [(58, 41), (61, 44), (62, 45), (63, 46), (71, 53), (72, 54)])
def test_comparisons(code: int, kind: int, tmp_path: Path) -> None:
    halves = np.round(fed(2, 3, 4, 5).array * 2) / 2  # some are equal
    compare_with_litert(tmp_path, code, kind, [fed(2, 3, 4, 5), fed(5)], {}, dtype="bool")
    compare_with_litert(tmp_path, code, kind, [fed(2, 3, 4, 5), halves], {}, dtype="bool")


@pytest.mark.parametrize(
    ("code", "kind"),
    [(14, 0), (19, 0), (20, 0), (21, 0), (28, 0), (47, 33), (59, 42), (75, 0), (76, 0), (101, 78), (117, 91), (98, 75)],
)
def test_functions_of_one_element_at_every_rank(code: int, kind: int, tmp_path: Path) -> None:
    options = {0: ("f32", 0.2)} if code == 98 else {} if kind else None
    for shape in [*SHAPES, ()]:
        compare_with_litert(tmp_path, code, kind, [fed(*shape, positive=code in (75, 76))], options)


@pytest.mark.parametrize("slopes", [(5,), (1, 5), (1, 1, 5), (4, 1), (1, 1, 1), (3, 4, 5)])
def test_slopes_of_a_prelu(slopes: tuple[int, ...], tmp_path: Path) -> None:
    compare_with_litert(tmp_path, 54, 0, [fed(2, 3, 4, 5), weights(*slopes)])
    compare_with_litert(tmp_path, 54, 0, [fed(1, 2, 3, 4, 5), weights(1, *slopes)])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("keep", [0, 1])
def test_reductions_along_every_axis(shape: tuple[int, ...], keep: int, tmp_path: Path) -> None:
    rank = len(shape)
    for axis in range(-rank, rank):
        for code in (40, 74, 82, 89, 81):
            compare_with_litert(tmp_path, code, 27, [fed(*shape), ints(axis)], {0: ("i8", keep)})
    for axes in [(0, rank - 1), tuple(range(rank))]:
        compare_with_litert(tmp_path, 40, 27, [fed(*shape), ints(*axes)], {0: ("i8", keep)})
    compare_with_litert(tmp_path, 40, 27, [fed(*shape), np.array(-1, np.int32)], {0: ("i8", keep)})


@pytest.mark.parametrize("shape", SHAPES)
def test_places_of_extremes_and_normalisations(shape: tuple[int, ...], tmp_path: Path) -> None:
    for axis, (code, kind) in itertools.product(range(-len(shape), len(shape)), ((56, 40), (79, 57))):
        for where in (ints(axis), np.array(axis, np.int32)):
            compare_with_litert(tmp_path, code, kind, [fed(*shape), where], {0: ("i8", 2)}, dtype="int32")
    if len(shape) < 5:
        for beta in (1.0, 2.0):
            compare_with_litert(tmp_path, 25, 9, [fed(*shape)], {0: ("f32", beta)})
        compare_with_litert(tmp_path, 50, 36, [fed(*shape)], {})
        compare_with_litert(tmp_path, 11, 12, [fed(*shape)], {0: ("i8", 0)})


@pytest.mark.parametrize("shape", SHAPES)
def test_joining_taking_apart_and_picking_along_every_axis(shape: tuple[int, ...], tmp_path: Path) -> None:
    for axis in range(-len(shape), len(shape)):
        longer = tuple(dim + 2 if i == axis % len(shape) else dim for i, dim in enumerate(shape))
        count = shape[axis]
        where = {0: ("i32", axis)}
        compare_with_litert(tmp_path, 2, 10, [fed(*shape), fed(*longer), weights(*shape)], where)
        compare_with_litert(tmp_path, 49, 35, [ints(axis), fed(*shape)], {0: ("i32", count)}, count)
        pieces = {0: ("i32", count), 1: ("i32", axis)}
        compare_with_litert(tmp_path, 88, 64, [fed(*shape)], pieces, count)
        for places in (ints(0, count - 1, 0), np.array(count - 1, np.int32), np.array([[0], [count - 1]], np.int32)):
            compare_with_litert(tmp_path, 36, 23, [fed(*shape), places], where)
        if count > 2:
            sizes = [fed(*shape), ints(1, -1), np.array(axis, np.int32)]
            compare_with_litert(tmp_path, 102, 79, sizes, {0: ("i32", 2)}, 2)
        if len(shape) < 5:
            parts = [fed(*shape), fed(*shape), weights(*shape)]
            compare_with_litert(tmp_path, 83, 59, parts, {0: ("i32", 3), 1: ("i32", axis)})
        compare_with_litert(tmp_path, 70, 52, [fed(*shape), ints(axis)], {})
        compare_with_litert(tmp_path, 105, 81, [fed(*shape), ints(axis)], {})


@pytest.mark.parametrize("shape", SHAPES)
def test_padding_tiling_and_transposing(shape: tuple[int, ...], tmp_path: Path) -> None:
    rank = len(shape)
    pads = np.array([[0, 0], [1, 2], [0, 3], [2, 0], [1, 0]][:rank], np.int32)
    compare_with_litert(tmp_path, 34, 22, [fed(*shape), pads], {})
    compare_with_litert(tmp_path, 60, 43, [fed(*shape), pads, np.array([1.5], np.float32)], {})
    wider = [dim + 3 for dim in shape]
    for edge in (0, 1):
        compare_with_litert(tmp_path, 100, 77, [fed(*wider), pads], {0: ("i8", edge)})
    compare_with_litert(tmp_path, 69, 51, [fed(*shape), ints(*[1, 2, 3, 1, 2][:rank])], {})
    for order in itertools.islice(itertools.permutations(range(rank)), 0, 24, 5):
        compare_with_litert(tmp_path, 39, 26, [fed(*shape), ints(*order)], {})


MASKS = [
    (0, 0, 0, 0, 0),
    (1, 0, 0, 0, 0),
    (0, 3, 0, 0, 0),
    (0, 0, 0, 0, 1),
    (0, 0, 1, 0, 0),
    (0, 0, 0, 1, 0),
    (0, 0, 2, 0, 0),
    (0, 0, 0, 2, 0),
    (0, 0, 0, 2, 1),
]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("masks", MASKS)
def test_slices_with_strides(shape: tuple[int, ...], masks: tuple[int, ...], tmp_path: Path) -> None:
    rank = len(shape)
    options = {slot: ("i32", mask) for slot, mask in enumerate(masks)}
    bounds = [(0, 2, 1), (0, 9, 2)] + ([] if masks[4] else [(-1, -9, -1)])
    for bound in bounds:
        lists = [ints(*[value] * rank) for value in bound]
        compare_with_litert(tmp_path, 45, 32, [fed(*shape), *lists], options)
    if rank > 1 and not any(masks[:4]):
        compare_with_litert(tmp_path, 45, 32, [fed(*shape), ints(0), ints(1), ints(1)], options)


@pytest.mark.parametrize(
    ("shape", "to"),
    [
        ((2, 3, 4, 5), (6, 20)),
        ((2, 3, 4, 5), (4, -1, 3)),
        ((2, 3, 4, 5), (2, 3, 2, 2, 5)),
        ((2, 3, 2, 2, 5), (2, 3, 4, 5)),
        ((1,), ()),
    ],
)
def test_reshapes(shape: tuple[int, ...], to: tuple[int, ...], tmp_path: Path) -> None:
    compare_with_litert(tmp_path, 22, 17, [fed(*shape), np.array(to, np.int32)], {})


@pytest.mark.parametrize(("corners", "centres"), [(0, 0), (1, 0), (0, 1)])
@pytest.mark.parametrize("size", [(14, 21), (3, 4), (7, 9), (13, 5), (1, 1)])
def test_resizes(corners: int, centres: int, size: tuple[int, int], tmp_path: Path) -> None:
    image = [fed(2, 7, 9, 3), ints(*size)]
    compare_with_litert(tmp_path, 23, 15, image, {2: ("u8", corners), 3: ("u8", centres)}, tolerance=1e-4)
    compare_with_litert(tmp_path, 97, 74, image, {0: ("u8", corners), 1: ("u8", centres)})


@pytest.mark.parametrize(
    ("a", "b", "turn_a", "turn_b"),
    [
        ((2, 3, 4), (2, 4, 5), 0, 0),
        ((3, 4), (4, 5), 0, 0),
        ((2, 4, 3), (2, 5, 4), 1, 1),
        ((2, 1, 3, 4), (3, 4, 5), 0, 0),
        ((2, 1, 1, 3, 4), (1, 2, 2, 4, 5), 0, 0),
    ],
)
def test_batched_products(a: tuple, b: tuple, turn_a: int, turn_b: int, tmp_path: Path) -> None:
    options = {0: ("u8", turn_a), 1: ("u8", turn_b)}
    compare_with_litert(tmp_path, 126, 101, [fed(*a), fed(*b)], options)
    compare_with_litert(tmp_path, 126, 101, [fed(*a), weights(*b)], options)


@pytest.mark.parametrize(("shape", "keep"), [((3, 6), 0), ((2, 3, 4, 6), 0), ((2, 3, 4, 6), 1), ((2, 3, 6), 1)])
def test_full_connections(shape: tuple[int, ...], keep: int, tmp_path: Path) -> None:
    options = {0: ("i8", 1), 2: ("u8", keep)}
    compare_with_litert(tmp_path, 9, 8, [fed(*shape), weights(5, 6), weights(5)], options)
    compare_with_litert(tmp_path, 9, 8, [fed(*shape), weights(5, 6)], options)
    compare_with_litert(tmp_path, 9, 8, [fed(*shape), fed(5, 6)], options)


def test_what_is_rare(tmp_path: Path) -> None:
    compare_with_litert(tmp_path, 37, 24, [fed(4, 2, 3, 5), ints(2, 2), np.array([[0, 1], [1, 0]], np.int32)], {})
    compare_with_litert(tmp_path, 38, 25, [fed(1, 4, 6, 5), ints(2, 3), np.array([[1, 1], [0, 3]], np.int32)], {})
    compare_with_litert(tmp_path, 5, 94, [fed(2, 3, 4, 18)], {0: ("i32", 3)})
    compare_with_litert(tmp_path, 26, 19, [fed(2, 6, 9, 2)], {0: ("i32", 3)})
    compare_with_litert(tmp_path, 106, 82, [fed(2, 3), fed(2, 3), weights(2, 3)], {})
    compare_with_litert(tmp_path, 107, 83, [fed(3, 4, 5), np.array([[0, 1], [2, 3]], np.int32)], {})
    compare_with_litert(tmp_path, 95, 72, [fed(2, 3), np.array([-1.5], np.float32)], {}, tolerance=1e-4)
    compare_with_litert(tmp_path, 90, 65, [fed(2, 3), np.array([-1.5], np.float32)], {})
    compare_with_litert(tmp_path, 43, 30, [fed(1, 2, 3, 1, 5)], {})
    condition = fed(2, 3, 4, 5).array > 0
    compare_with_litert(tmp_path, 123, 98, [condition, fed(2, 3, 4, 5), fed(5)], {})


def test_a_local_response_by_its_definition(tmp_path: Path) -> None:
    """LiteRT's plain kernel leaves out the last channel of the window; TensorFlow's definition has it."""
    from tests.sim.vendor.networks import run_one

    x = fed(1, 4, 4, 8).array
    window = np.pad(x.astype(np.float64) ** 2, [(0, 0)] * 3 + [(2, 2)])
    sums = sum(window[..., i : i + 8] for i in range(5))
    options = {0: ("i32", 2), 1: ("f32", 1.5), 2: ("f32", 0.5), 3: ("f32", 0.75)}
    found = run_one(tmp_path, 13, x, [], x.shape, options)
    np.testing.assert_allclose(found, x / (1.5 + 0.5 * sums) ** 0.75, rtol=1e-5)
