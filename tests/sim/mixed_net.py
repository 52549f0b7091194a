"""A small net with a bit of everything that calibration touches."""

from __future__ import annotations

import numpy as np
import onnx

NET = """
    <ir_version: 8, opset_import: ["" : 17]>
    net (float[1,3,8,8] x) => (float[1,5] y)
    <float[4,3,3,3] w, float[4,1,3,3] d, float[6,4,1,1] p, float[6] pb, float[6,1,1] s, float[4,1,1] o, float[6,5] f> {
        c = Conv<pads=[1,1,1,1]>(x, w)
        m = Mul(c, o)
        r = Relu(m)
        e = Conv<group=4>(r, d)
        k = Clip(e, lo, hi)
        q = Conv(k, p, pb)
        a = Add(q, s)
        t = Relu(a)
        u = Add(a, t)
        g = GlobalAveragePool(u)
        h = Flatten(g)
        i = MatMul(h, f)
        y = Softmax<axis=1>(i)
    }
"""


def build_net(seed: int = 5) -> onnx.ModelProto:
    """Return a net with a bit of everything, and random weights."""
    text = NET.replace("<float[4,3,3,3] w", "<float lo = {0.0}, float hi = {6.0}, float[4,3,3,3] w")
    shapes = {"w": (4, 3, 3, 3), "d": (4, 1, 3, 3), "p": (6, 4, 1, 1), "pb": (6,), "s": (6, 1, 1), "o": (4, 1, 1)}
    shapes["f"] = (6, 5)
    random = np.random.default_rng(seed)
    for name, shape in shapes.items():
        values = ",".join(f"{value:.5f}" for value in random.standard_normal(int(np.prod(shape))))
        size = ",".join(map(str, shape))
        text = text.replace(f"float[{size}] {name}", f"float[{size}] {name} = {{{values}}}")
    return onnx.parser.parse_model(text)
