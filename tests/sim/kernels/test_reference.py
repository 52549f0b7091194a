"""The kernels on the vendor's own inputs: their outputs are the vendor's, bit for bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.sim.kernels.replay import Replay
from tests.sim.kernels.vendor_file import load_dump, load_model

CASES = {
    "smallnet": ("smallnet", "fixed.sim", "fixed_raw.bin", 12),
    "smallnet_nofuse": ("smallnet", "fixed_nofuse.sim", "fixed_nofuse_raw.bin", 19),
    "smallnet_int16": ("smallnet_int16", "fixed.sim", "fixed_raw.bin", 12),
    "rfb320": ("rfb320", "fixed.sim", "fixed_raw.bin.xz", 56),
}
SOFTMAX_STEPS = {"smallnet": 1, "smallnet_nofuse": 1, "smallnet_int16": 1, "rfb320": 1005}
"""Outputs of SOFTMAX that are one step off; rfb320 has 28 200."""


@pytest.mark.reference
@pytest.mark.parametrize("case", CASES)
def test_every_domain_is_the_vendors(case: str, reference: Path) -> None:
    """A domain's inner tensors are computed by us, its inputs are the vendor's."""
    folder, model, dump, count = CASES[case]
    replay = Replay(load_model(reference / folder / model), load_model(reference / folder / "float.sim"))
    payloads, made = load_dump(reference / folder / "dumps" / dump)
    values: dict[str, np.ndarray] = {}
    for name, payload in payloads.items():
        tensor = replay.fixed.tensors[name]
        if len(payload) == int(np.prod(tensor.shape)) * tensor.dtype.itemsize:
            values[name] = np.frombuffer(payload, tensor.dtype).reshape(tensor.shape)
    seen = []
    for op in replay.fixed.ops:
        (y,) = op.outputs
        if op is replay.fixed.ops[0] and replay.fixed.is_four_channel:
            check_first_rows(replay, values)
            seen.append(y.name)
            continue
        found = replay.run(op, values).reshape(y.shape)
        if y.name not in made:
            values[y.name] = found
            continue
        differences = np.abs(found.astype(int) - values[y.name])
        if replay.name(op) == "SOFTMAX":
            assert np.count_nonzero(differences) <= SOFTMAX_STEPS[case]
            assert differences.max() <= 1
        else:
            assert not differences.any(), f"{replay.name(op)} {y.name}: {np.count_nonzero(differences)} differ"
        seen.append(y.name)
    assert len(seen) == count, set(made) - set(seen)


def check_first_rows(replay: Replay, values: dict[str, np.ndarray]) -> None:
    """The dump keeps four interleaved channels of the first three quarters of the image, and no more."""
    op = replay.fixed.ops[0]
    image = values[op.inputs[0].name]
    height = image.shape[1] * 3 // 4
    found = replay.run(op, {op.inputs[0].name: image.reshape(1, height, image.shape[2], 4)})
    rows = found.shape[1] - 1  # the last one may have seen padding instead of the image
    assert np.array_equal(found[:, :rows], values[op.outputs[0].name][:, :rows])
