"""Sealed models for the tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ipudebug.sim.seal import seal_model
from tests.sim.test_seal import fixed_net


def seal_net(folder: Path) -> str:
    """Return the path of a sealed model: the colours, twice, of an RGBA image of 3 x 2 with rows of 64 bytes."""
    fixed, sealed = folder / "net_fixed.sim", folder / "net_fixed.sim_sgsimg.img"
    fixed.write_bytes(fixed_net().SerializeToString())
    seal_model(str(fixed), str(sealed))
    return str(sealed)


def make_image(seed: int) -> np.ndarray:
    """Return what the preprocess of that model returns: uint8 [1, 3, 2, 3], RGB."""
    return np.random.default_rng(seed).integers(0, 256, (1, 3, 2, 3), np.uint8)


def expect_output(image: np.ndarray) -> np.ndarray:
    """Return what the model computes of an image, as real numbers: (q - 3) * 0.1 of the colours, twice."""
    stored = np.concatenate([image, image], axis=-1).astype(np.float32)
    return ((stored - np.float32(3)) * np.float32(0.1)).astype(np.float32)
