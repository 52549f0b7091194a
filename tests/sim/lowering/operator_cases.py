"""One small model for each way in which an operator is lowered, and the kernels that it becomes."""

from __future__ import annotations

import numpy as np
import onnx

X = "float[1,4,6,8] x"
CASES = {
    # name: (opset, inputs, outputs, constants, body, kernels in order)
    "conv": (17, X, "[1,6,3,4] y", "w:6,4,3,3 b:6", "y = Conv<strides=[2,2], pads=[1,1,1,1]>(x, w, b)", "CONV_2D"),
    "conv without bias": (17, X, "[1,6,6,8] y", "w:6,4,1,1", "y = Conv(x, w)", "CONV_2D"),
    "conv with relu": (17, X, "[1,6,6,8] y", "w:6,4,1,1", "c = Conv(x, w) y = Relu(c)", "CONV_2D"),
    "conv with dilation": (17, X, "[1,6,2,4] y", "w:6,4,3,3", "y = Conv<dilations=[2,2]>(x, w)", "CONV_2D"),
    "conv, same upper": (
        17,
        X,
        "[1,2,3,4] y",
        "w:2,4,2,2",
        'y = Conv<auto_pad="SAME_UPPER", strides=[2,2]>(x, w)',
        "CONV_2D",
    ),
    "conv, same lower": (17, X, "[1,2,6,8] y", "w:2,4,2,2", 'y = Conv<auto_pad="SAME_LOWER">(x, w)', "CONV_2D"),
    "conv, pads by side": (17, X, "[1,2,7,8] y", "w:2,4,2,2", "y = Conv<pads=[0,1,2,0]>(x, w)", "CONV_2D"),
    "depthwise": (17, X, "[1,4,4,6] y", "w:4,1,3,3 b:4", "y = Conv<group=4>(x, w, b)", "DEPTHWISE_CONV_2D"),
    "depthwise, two for each": (
        17,
        X,
        "[1,8,4,6] y",
        "w:8,1,3,3 b:8",
        "y = Conv<group=4>(x, w, b)",
        "RESHAPE TILE RESHAPE DEPTHWISE_CONV_2D",
    ),
    "grouped": (
        17,
        X,
        "[1,6,4,6] y",
        "w:6,2,3,3 b:6",
        "y = Conv<group=2>(x, w, b)",
        "SPLIT_V CONV_2D CONV_2D CONCATENATION",
    ),
    "grouped with relu": (
        17,
        X,
        "[1,6,4,6] y",
        "w:6,2,3,3",
        "c = Conv<group=2>(x, w) y = Relu(c)",
        "SPLIT_V CONV_2D CONV_2D CONCATENATION",
    ),
    "transposed": (
        17,
        X,
        "[1,3,12,16] y",
        "w:4,3,2,2 b:3",
        "y = ConvTranspose<strides=[2,2]>(x, w, b)",
        "DILATION CONV_2D",
    ),
    "transposed, all": (
        17,
        X,
        "[1,3,12,17] y",
        "w:4,3,3,3",
        "y = ConvTranspose<strides=[2,2], pads=[1,1,1,0], output_padding=[1,0]>(x, w)",
        "DILATION CONV_2D",
    ),
    "transposed, dilated": (
        17,
        X,
        "[1,3,10,12] y",
        "w:4,3,3,3",
        "y = ConvTranspose<dilations=[2,2]>(x, w)",
        "DILATION CONV_2D",
    ),
    "transposed, depthwise": (
        17,
        X,
        "[1,4,12,16] y",
        "w:4,1,2,2",
        "y = ConvTranspose<strides=[2,2], group=4>(x, w)",
        "DILATION DEPTHWISE_CONV_2D",
    ),
    "transposed, grouped": (
        17,
        X,
        "[1,6,12,16] y",
        "w:4,3,2,2",
        "y = ConvTranspose<strides=[2,2], group=2>(x, w)",
        "DILATION SPLIT_V CONV_2D CONV_2D CONCATENATION",
    ),
    "gemm": (
        17,
        "float[3,5] x",
        "[3,7] y",
        "w:7,5 b:7",
        "y = Gemm<transB=1, alpha=0.5, beta=2.0>(x, w, b)",
        "RESHAPE CONV_2D RESHAPE",
    ),
    "gemm with relu": (
        17,
        "float[1,5] x",
        "[1,7] y",
        "w:5,7 b:1",
        "g = Gemm(x, w, b) y = Relu(g)",
        "RESHAPE CONV_2D RESHAPE",
    ),
    "gemm, transposed": (17, "float[5,3] x", "[3,7] y", "w:5,7", "y = Gemm<transA=1>(x, w)", "real"),
    "matmul": (17, "float[2,3,5] x", "[2,3,7] y", "w:5,7", "y = MatMul(x, w)", "RESHAPE CONV_2D RESHAPE"),
    "matmul of two": (17, "float[2,3,5] x, float[2,5,4] z", "[2,3,4] y", "", "y = MatMul(x, z)", "real"),
    "batch norm": (
        17,
        X,
        "[1,4,6,8] y",
        "s:4 o:4 m:4 v:4",
        "y = BatchNormalization(x, s, o, m, v)",
        "MUL_CONSTANT ADD_CONSTANT",
    ),
    "add": (17, f"{X}, float[1,4,6,8] z", "[1,4,6,8] y", "", "y = Add(x, z)", "ADD"),
    "add, broadcast": (17, f"{X}, float[1,4,1,1] z", "[1,4,6,8] y", "", "y = Add(x, z)", "ADD"),
    "add to itself": (17, X, "[1,4,6,8] y", "", "y = Add(x, x)", "ADD"),
    "add a constant": (17, X, "[1,4,6,8] y", "c:4,1,1", "y = Add(c, x)", "ADD_CONSTANT"),
    "add a row": (17, X, "[1,4,6,8] y", "c:8", "y = Add(x, c)", "ADD_CONSTANT"),
    "add a number": (17, X, "[1,4,6,8] y", "c:1", "y = Add(x, c)", "ADD_CONSTANT"),
    "add a larger constant": (17, "float[1,4,1,1] x", "[1,4,3,5] y", "c:1,4,3,5", "y = Add(x, c)", "ADD"),
    "sub": (17, f"{X}, float[1,4,6,8] z", "[1,4,6,8] y", "", "y = Sub(x, z)", "SUB"),
    "sub a constant": (17, X, "[1,4,6,8] y", "c:4,1,1", "y = Sub(x, c)", "ADD_CONSTANT"),
    "sub from a constant": (17, X, "[1,4,6,8] y", "c:4,1,1", "y = Sub(c, x)", "SUB"),
    "mul": (17, f"{X}, float[1,4,6,8] z", "[1,4,6,8] y", "", "y = Mul(x, z)", "MUL"),
    "mul of bytes": (
        17,
        X,
        "[1,4,6,8] y",
        "w:4,4,1,1",
        "a = Conv(x, w) b = Relu(a) c = Conv(b, w) d = Sigmoid(b) y = Mul(b, d) e = Add(y, c)",
        None,
    ),
    "mul by a constant": (17, X, "[1,4,6,8] y", "c:4,1,1", "y = Mul(x, c)", "MUL_CONSTANT"),
    "mul by a larger constant": (17, "float[1,4,1,1] x", "[1,4,3,5] y", "c:1,4,3,5", "y = Mul(x, c)", "MUL"),
    "div by a constant": (17, X, "[1,4,6,8] y", "c:4,1,1", "y = Div(x, c)", "MUL_CONSTANT"),
    "div of two": (17, f"{X}, float[1,4,6,8] z", "[1,4,6,8] y", "", "e = Exp(z) y = Div(x, e)", None),
    "neg": (17, X, "[1,4,6,8] y", "", "y = Neg(x)", "MUL_CONSTANT"),
    "max": (17, f"{X}, float[1,4,6,8] z", "[1,4,6,8] y", "", "y = Max(x, z)", None),
    "relu": (17, X, "[1,4,6,8] y", "", "y = Relu(x)", "RELU"),
    "clip": (17, X, "[1,4,6,8] y", "l:!-0.5 h:!0.7", "y = Clip(x, l, h)", "MUL_CONSTANT"),
    "clip at zero": (17, X, "[1,4,6,8] y", "l:!0.0 h:!0.7", "y = Clip(x, l, h)", "RELU"),
    "clip by attributes": (9, X, "[1,4,6,8] y", "", "y = Clip<min=0.0, max=0.7>(x)", "RELU"),
    "leaky relu": (17, X, "[1,4,6,8] y", "", "y = LeakyRelu<alpha=0.2>(x)", "LEAKY_RELU"),
    "prelu": (17, X, "[1,4,6,8] y", "s:4,1,1", "y = PRelu(x, s)", "PRELU"),
    "max pool": (
        17,
        X,
        "[1,4,3,4] y",
        "",
        "y = MaxPool<kernel_shape=[3,3], strides=[2,2], pads=[1,1,1,1]>(x)",
        "MAX_POOL_2D",
    ),
    "max pool, rounded up": (
        17,
        X,
        "[1,4,3,4] y",
        "",
        "y = MaxPool<kernel_shape=[3,3], strides=[2,2], ceil_mode=1>(x)",
        "MAX_POOL_2D",
    ),
    "average pool": (
        17,
        X,
        "[1,4,3,4] y",
        "",
        "y = AveragePool<kernel_shape=[2,2], strides=[2,2]>(x)",
        "AVERAGE_POOL_2D",
    ),
    "average pool, padded": (
        17,
        X,
        "[1,4,3,4] y",
        "",
        "y = AveragePool<kernel_shape=[3,3], strides=[2,2], pads=[1,1,1,1]>(x)",
        "AVERAGE_POOL_2D",
    ),
    "average pool, pads count": (
        17,
        X,
        "[1,4,3,4] y",
        "",
        "y = AveragePool<kernel_shape=[3,3], strides=[2,2], pads=[1,1,1,1], count_include_pad=1>(x)",
        "AVERAGE_POOL_2D",
    ),
    "average pool, rounded up": (
        17,
        X,
        "[1,4,3,4] y",
        "",
        "y = AveragePool<kernel_shape=[3,3], strides=[2,2], ceil_mode=1>(x)",
        "AVERAGE_POOL_2D",
    ),
    "global average": (17, X, "[1,4,1,1] y", "", "y = GlobalAveragePool(x)", "AVERAGE_POOL_2D"),
    "global maximum": (17, X, "[1,4,1,1] y", "", "y = GlobalMaxPool(x)", "MAX_POOL_2D"),
    "mean": (17, X, "[1,4] y", "", "y = ReduceMean<axes=[2,-1], keepdims=0>(x)", "MEAN"),
    "mean, axes as input": (18, X, "[1,4,1,1] y", "a:=2,3", "y = ReduceMean(x, a)", "MEAN"),
    "concat": (
        17,
        f"{X}, float[1,2,6,8] z",
        "[1,6,6,8] y",
        "",
        "a = Relu(x) b = Relu(z) y = Concat<axis=1>(a, b)",
        "RELU RELU CONCATENATION",
    ),
    "concat with a constant": (
        17,
        X,
        "[1,5,6,8] y",
        "c:1,1,6,8",
        "a = Relu(x) y = Concat<axis=1>(a, c)",
        "RELU CONCATENATION",
    ),
    "split": (17, X, "[1,1,6,8] y, float[1,3,6,8] z", "s:=1,3", "y, z = Split<axis=1>(x, s)", "SPLIT_V"),
    "reshape": (17, X, "[4,48] y", "s:=4,-1", "y = Reshape(x, s)", "RESHAPE"),
    "flatten": (17, X, "[1,192] y", "", "y = Flatten(x)", "RESHAPE"),
    "transpose": (17, X, "[1,6,8,4] y", "", "y = Transpose<perm=[0,2,3,1]>(x)", "TRANSPOSE"),
    "slice": (17, X, "[1,4,3,3] y", "b:=-1,1 e:=-100,7 a:=2,3 t:=-2,2", "y = Slice(x, b, e, a, t)", "real"),
    "slice forwards": (17, X, "[1,4,2,3] y", "b:=-2,1 e:=100,7 a:=2,-1 t:=1,2", "y = Slice(x, b, e, a, t)", "SLICE"),
    "slice by attributes": (9, X, "[1,4,2,8] y", "", "y = Slice<axes=[2], starts=[1], ends=[3]>(x)", "SLICE"),
    "pad": (17, X, "[1,4,7,10] y", "p:=0,0,1,0,0,0,0,2 v:!0.5", "y = Pad(x, p, v)", "PAD"),
    "pad by reflection": (17, X, "[1,4,7,8] y", "p:=0,0,1,0,0,0,0,0", 'y = Pad<mode="reflect">(x, p)', "real"),
    "tile": (17, X, "[1,8,6,8] y", "r:=1,2,1,1", "y = Tile(x, r)", "TILE"),
    "resize twice": (
        17,
        X,
        "[1,4,12,24] y",
        "s:~1.0,1.0,2.0,3.0",
        'y = Resize<mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor">(x, , s)',
        "RESHAPE TILE RESHAPE",
    ),
    "resize, half pixel": (
        17,
        X,
        "[1,4,12,16] y",
        "s:~1.0,1.0,2.0,2.0",
        'y = Resize<mode="nearest">(x, , s)',
        "RESHAPE TILE RESHAPE",
    ),
    "resize, odd rounding": (
        17,
        X,
        "[1,4,12,16] y",
        "s:~1.0,1.0,2.0,2.0",
        'y = Resize<mode="nearest", nearest_mode="floor">(x, , s)',
        "real",
    ),
    "resize, linear": (17, X, "[1,4,12,16] y", "s:~1.0,1.0,2.0,2.0", 'y = Resize<mode="linear">(x, , s)', "real"),
    "upsample": (
        9,
        X,
        "[1,4,12,16] y",
        "s:~1.0,1.0,2.0,2.0",
        'y = Upsample<mode="nearest">(x, s)',
        "RESHAPE TILE RESHAPE",
    ),
    "softmax": (17, X, "[1,4,6,8] y", "", "y = Softmax<axis=1>(x)", "SOFTMAX"),
    "softmax, old, last axis": (9, "float[3,5] x", "[3,5] y", "", "y = Softmax(x)", "SOFTMAX"),
    "softmax, old, many axes": (9, X, "[1,4,6,8] y", "", "y = Softmax(x)", "real"),
    "sigmoid": (17, X, "[1,4,6,8] y", "", "y = Sigmoid(x)", "LOGISTIC"),
    "gather one": (17, X, "[1,6,8] y", "i:@2", "y = Gather<axis=1>(x, i)", "real"),
    "exp": (17, X, "[1,4,6,8] y", "", "y = Exp(x)", "real"),
    "tanh between convolutions": (
        17,
        X,
        "[1,6,6,8] y",
        "w:4,4,1,1 v:6,4,1,1",
        "a = Conv(x, w) t = Tanh(a) y = Conv(t, v)",
        None,
    ),
    "1-D conv": (17, "float[1,4,9] x", "[1,6,7] y", "w:6,4,3", "y = Conv(x, w)", "real"),
    "conv with computed weights": (17, f"{X}, float[2,4,1,1] w", "[1,2,6,8] y", "", "y = Conv(x, w)", "real"),
}


def build_case(name: str) -> onnx.ModelProto:
    """Return the model of a case.

    A constant is ``name:shape`` (drawn at random), ``name:=1,2`` (int64), ``name:~1.0,2.0`` (float), ``name:!1.0`` (a
    scalar) or ``name:@1`` (an int64 scalar).
    """
    opset, inputs, outputs, weights, body, _ = CASES[name]
    random = np.random.default_rng(sum(map(ord, name)))
    declared = []
    for weight in weights.split():
        label, shape = weight.split(":")
        if shape[0] in "=~!@":
            values = shape[1:].split(",")
            kind = {"=": f"int64[{len(values)}]", "~": f"float[{len(values)}]", "!": "float", "@": "int64"}[shape[0]]
            declared.append(f"{kind} {label} = {{{shape[1:]}}}")
            continue
        numbers = random.uniform(0.3, 1.5, [int(size) for size in shape.split(",")])
        numbers = numbers if label in "vsc" else numbers * random.choice([-1, 1], numbers.shape)
        declared.append(f"float[{shape}] {label} = {{{','.join(f'{value:.6f}' for value in numbers.reshape(-1))}}}")
    return onnx.parser.parse_model(
        f'<ir_version: 8, opset_import: ["" : {opset}]> net ({inputs}) => (float{outputs}) '
        f"<{', '.join(declared)}> {{ {body} }}"
    )
