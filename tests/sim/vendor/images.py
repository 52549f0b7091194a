"""What the vendor's simulators were fed with when they wrote the reference dumps."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

NETWORKS = ("smallnet", "smallnet_int16", "names", "rfb320")


def preprocess(reference: Path, network: str, *, norm: bool) -> np.ndarray:
    """Return the image of a network's dumps as its preprocess file makes it, [1, H, W, 3]."""
    pytest.importorskip("cv2", reason="the vendor's preprocess files read images with OpenCV")
    folder = "rfb320" if network == "rfb320" else "smallnet"
    image = reference / ("models" if network == "rfb320" else "smallnet") / "test.jpg"
    spec = importlib.util.spec_from_file_location(f"preprocess_{folder}", reference / folder / "preprocess.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    array = np.asarray(module.image_preprocess(str(image), norm))
    return array.reshape(1, *array.shape[-3:])


def feed_board(reference: Path, network: str) -> dict[str, np.ndarray]:
    """Return the feed of a fixed graph, NCHW: rfb320 takes RGBA with a fourth channel of zeros, the others RGB."""
    image = preprocess(reference, network, norm=False)
    if network == "rfb320":
        image = np.concatenate([image, np.zeros_like(image[..., :1])], axis=3)
    return {"input": np.ascontiguousarray(image.transpose(0, 3, 1, 2))}


def feed_float(reference: Path, network: str) -> dict[str, np.ndarray]:
    """Return the feed of a float graph, NCHW."""
    return {"input": np.ascontiguousarray(preprocess(reference, network, norm=True).transpose(0, 3, 1, 2))}
