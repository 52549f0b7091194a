"""Small .sim files with many kinds of operators, for the fuzzer: two float ones, a fixed one, a compiled one."""

from __future__ import annotations

import numpy as np

from bench.data.vendor_sim import FIXED, Operator, Sim, Tensor, write_sim

_WINDOW = {1: ("i32", 1), 2: ("i32", 1)}
_PADDED = {0: ("i8", 2), **_WINDOW, 6: ("i32", 1), 7: ("i32", 1), 8: ("i32", 1), 9: ("i32", 1)}
_SHIFTS = {35: ("i32", 4), 37: ("i32", 11)}
_DEPTHWISE = {slot + (slot >= 3): value for slot, value in _PADDED.items()}
_DEPTHWISE_FIXED = {**_DEPTHWISE, 3: ("i32", 1), 36: ("i32", 4), 38: ("i32", 11)}


def make_float() -> bytes:
    """Return a float model: convolution, depthwise, pool, add, mul, concat, reshape, slice, pad, softmax."""
    random = np.random.default_rng(1)
    values = random.normal(size=4096).astype(np.float32)

    def constant(name: str, *shape: int) -> Tensor:
        return Tensor(name, shape, data=values[: int(np.prod(shape))].reshape(shape), flag=0)

    def integers(name: str, data: list) -> Tensor:
        return Tensor(name, np.shape(data), "int32", np.array(data, np.int32), flag=0)

    bias = Tensor("bias", (2, 8), data=np.stack([values[:8], np.ones(8, np.float32)]), flag=0)
    tensors = [
        Tensor("x", (1, 8, 8, 3), flag=1),
        Tensor("y", (1, 192), flag=2),
        constant("w", 8, 3, 3, 3),
        bias,
        Tensor("conv", (1, 8, 8, 8)),
        constant("dw", 1, 3, 3, 8),
        Tensor("depthwise", (1, 8, 8, 8)),
        Tensor("sum", (1, 8, 8, 8)),
        constant("factor", 8),
        Tensor("product", (1, 8, 8, 8)),
        Tensor("pool", (1, 4, 4, 8)),
        integers("pads", [[0, 0], [0, 1], [1, 0], [0, 0]]),
        Tensor("padded", (1, 5, 5, 8)),
        integers("begin", [0, 1, 1, 0]),
        integers("size", [1, 4, 4, 4]),
        Tensor("slice", (1, 4, 4, 4)),
        Tensor("joined", (1, 4, 4, 12)),
        integers("shape", [1, 192]),
        Tensor("flat", (1, 192)),
    ]
    pool = {0: ("i8", 1), 1: ("i32", 2), 2: ("i32", 2), 3: ("i32", 2), 4: ("i32", 2)}
    operators = [
        Operator(3, [0, 2, 3], [4], _PADDED),
        Operator(4, [4, 5, 3], [6], {**_DEPTHWISE, 4: ("i8", 3)}),
        Operator(0, [4, 6], [7]),
        Operator(18, [7, 8], [9]),
        Operator(17, [9], [10], pool),
        Operator(34, [10, 11], [12]),
        Operator(65, [12, 13, 14], [15]),
        Operator(2, [10, 15], [16], {0: ("i32", 3)}),
        Operator(22, [16, 17], [18]),
        Operator(25, [18], [1]),
    ]
    return write_sim(Sim(tensors, operators))


def make_fixed() -> bytes:
    """Return a fixed model: first layer, fused MUL, ADD and RELU, depthwise, pools, concat, softmax, LOGISTIC, TANH."""
    random = np.random.default_rng(2)

    def activation(name: str, shape: tuple[int, ...], dtype: str = "int16", scale: float = 0.001) -> Tensor:
        low = -32768 * scale if dtype == "int16" else 0.0
        return Tensor(name, shape, dtype, minimum=[low], maximum=[255 * scale], scale=[scale], zero=[0], ddr=6)

    def weights(name: str, shape: tuple[int, ...], size: int) -> Tensor:
        scales = np.full(8, 0.01)
        raw = random.integers(-127, 128, size).astype(np.int8).tobytes()
        return Tensor(name, shape, "int8", raw=raw, scale=scales, zero=[0] * 8, ddr=10, flag=0)

    bias = np.stack([random.integers(-900, 900, 8), random.integers(16384, 32767, 8)]).astype(np.int16)
    image, wide = (1, 8, 8, 8), (1, 8, 8, 16)
    tensors = [
        Tensor("x", (1, 8, 8, 3), "uint8", minimum=[-1], maximum=[1], scale=[0.0078], zero=[128], ddr=1, flag=1),
        activation("y", (1, 4, 4, 16)),
        weights("w", (8, 3, 3, 3), 288),
        Tensor("bias", (2, 8), "int16", bias, flag=0),
        activation("conv", image),
        Tensor("factor", (8,), "int16", np.arange(16384, 16392), None, [0.5], [0.5], [0.00002], [0], flag=0),
        activation("product", image),
        Tensor("offset", (8,), "int32", np.arange(8), None, [0], [1], [0.001], [0], flag=0),
        activation("sum", image),
        activation("relu", image, "uint8", 0.02),
        weights("dw", (1, 3, 3, 8), 96),
        activation("depthwise", image, "uint8", 0.02),
        activation("joined", wide, "uint8", 0.02),
        activation("pool", (1, 4, 4, 16), "uint8", 0.02),
        activation("gate", (1, 4, 4, 16)),
        activation("tanh", (1, 4, 4, 16)),
    ]
    pool = {0: ("i8", 1), 1: ("i32", 2), 2: ("i32", 2), 3: ("i32", 2), 4: ("i32", 2)}
    operators = [
        Operator(3, [0, 2, 3], [4], {**_PADDED, **_SHIFTS}, domain=1),
        Operator(18, [4, 5], [6], domain=2),
        Operator(0, [6, 7], [8], domain=2),
        Operator(19, [8], [9], domain=2),
        Operator(4, [9, 10, 3], [11], _DEPTHWISE_FIXED, domain=1),
        Operator(2, [9, 11], [12], {0: ("i32", 3)}, domain=3),
        Operator(1, [12], [13], pool, domain=3),
        Operator(14, [13], [14], domain=3),
        Operator(28, [14], [15], domain=3),
        Operator(25, [15], [1], domain=3),
    ]
    identity = [1024, 0, 0, 0, 1024, 0, 0, 0, 1024, 257, 257, 257]
    return write_sim(Sim(tensors, operators, description=FIXED, formats=(1,), conversion=identity))


def make_moves() -> bytes:
    """Return a float model whose operators move, pick, resize and multiply: each reads the input, each is an output."""
    random = np.random.default_rng(3)
    tensors = [Tensor("x", (1, 4, 6, 4), flag=1)]
    operators: list[Operator] = []
    outputs: list[int] = []

    def add(
        code: int, operands: list, shapes: list[tuple], options: dict | None = None, data_first: bool = True
    ) -> None:
        numbers = []
        for operand in operands:
            array = np.asarray(operand, np.float32 if np.asarray(operand).dtype.kind == "f" else np.int32)
            numbers.append(len(tensors))
            tensors.append(Tensor(f"c{len(tensors)}", array.shape, array.dtype.name, array, flag=0))
        made = list(range(len(tensors), len(tensors) + len(shapes)))
        tensors.extend(Tensor(f"y{i}", shape, flag=2) for i, shape in zip(made, shapes, strict=True))
        operators.append(Operator(code, [0, *numbers] if data_first else [*numbers, 0], made, options))
        outputs.extend(made)

    slope, kernel = random.normal(size=4), random.normal(size=(3, 2, 2, 4))
    add(45, [[0, 3, 0, 0], [1, -9, 6, 2], [1, -1, 2, 1]], [(1, 4, 3)], {1: ("i32", 2), 4: ("i32", 8)})
    add(36, [[2, 0]], [(1, 2, 6, 4)], {0: ("i32", 1)})
    add(83, [], [(1, 1, 4, 6, 4)], {0: ("i32", 1), 1: ("i32", 1)})
    add(88, [], [(1, 6, 4)] * 4, {0: ("i32", 4), 1: ("i32", 1)})
    add(23, [[7, 5]], [(1, 7, 5, 4)], {2: ("u8", 0), 3: ("u8", 1)})
    add(97, [[8, 3]], [(1, 8, 3, 4)], {0: ("u8", 1), 1: ("u8", 0)})
    add(67, [[1, 8, 12, 3], kernel], [(1, 8, 12, 3)], {0: ("i8", 0), 1: ("i32", 2), 2: ("i32", 2)}, False)
    add(126, [random.normal(size=(1, 1, 4, 5))], [(1, 4, 6, 5)], {})
    add(9, [random.normal(size=(5, 4)), random.normal(size=5)], [(24, 5)], {0: ("i8", 1)})
    add(54, [slope], [(1, 4, 6, 4)])
    add(100, [[[0, 0], [1, 2], [0, 3], [0, 0]]], [(1, 7, 9, 4)], {0: ("i8", 1)})
    add(38, [[2, 3], [[0, 0], [0, 0]]], [(6, 2, 2, 4)], {})
    add(102, [[1, 3], [-1]], [(1, 4, 6, 1), (1, 4, 6, 3)], {0: ("i32", 2)})
    add(40, [[1, -1]], [(1, 6)], {0: ("i8", 0)})
    add(39, [[0, 3, 1, 2]], [(1, 4, 4, 6)])
    add(99, [slope], [(1, 4, 6, 4)])
    return write_sim(Sim(tensors, operators, [0], outputs))


def make_offline() -> bytes:
    """Return a compiled model: a header, the FlatBuffer at 8192, some command data."""
    model = make_fixed().replace(FIXED.encode(), b"Sigmastar Cmodel Convert Image")
    return (b"SGSI".ljust(8192, b"\0") + model).ljust(32768, b"\0")


MODELS = {"float": make_float, "moves": make_moves, "fixed": make_fixed, "compiled": make_offline}
