"""A fixed model fed with the board's pixels computes what the float model computes of normalised ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from ipudebug.config.input_config import load_input_config
from ipudebug.inputs.feeds import Feeds
from ipudebug.sim.calibrate import Choice, calibrate_model
from ipudebug.sim.convert import convert_model
from ipudebug.sim.fixed_file import save_fixed
from ipudebug.sim.loading import load_sim
from ipudebug.sim.model import Stage
from ipudebug.sim.saving import save_sim
from ipudebug.sim.simulate import Simulator
from ipudebug.sim.stage import SimFacts
from tests.sim.calibrated import CHIP, write_net
from tests.sim.mixed_net import build_net

IMAGES = {
    "RGB": ("RGB", "RGB", "127.5:127.5:127.5", "127.5", 3),
    "from zero": ("RGB", "RGB", "0:0:0", "255", 3),
    "unequal": ("RGB", "RGB", "123.675:116.28:103.53", "58.395:57.12:57.375", 3),
    "BGR, unequal": ("BGR", "BGR", "123.675:116.28:103.53", "58.395:57.12:57.375", 3),
    "RGBA": ("RGB", "RGBA", "123.675:116.28:103.53", "58.395", 3),
    "BGRA from RGB": ("RGB", "BGRA", "123.675:116.28:103.53", "58.395", 3),
    "RGBA from BGR": ("BGR", "RGBA", "10:60:90", "58:70:80", 3),
    "gray": ("GRAY", "GRAY", "100", "50", 1),
    "four channels": ("RGBA", "RGBA", "10:20:30:40", "50:60:70:80", 4),
    "no formats": ("", "", "100:110:120", "60", 3),
}


@pytest.mark.parametrize("case", IMAGES)
def test_images_as_the_board_feeds_them(case: str, tmp_path: Path) -> None:
    training, board, mean, std, channels = IMAGES[case]
    weights = np.random.default_rng(1).uniform(-1, 1, (6, channels, 3, 3)).astype(np.float32)
    info = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Conv", ["x", "w"], ["y"])], "net",
        [info("x", 1, [1, channels, 16, 16])], [info("y", 1, [1, 6, 14, 14])],
        [onnx.numpy_helper.from_array(weights, "w")],
    )  # fmt: skip
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)], ir_version=8)
    path, ini = write_net(model, tmp_path, formats=training or "RGB", board=board or "RGB", mean=mean, std_value=std)
    if not training:
        lines = [line for line in Path(ini).read_text().splitlines() if "formats" not in line]
        Path(ini).write_text("\n".join(lines))
    random = np.random.default_rng(2)
    pixels = [random.integers(0, 256, (1, 16, 16, channels)).astype(np.uint8) for _ in range(4)]
    order = slice(None, None, -1) if training.startswith("BGR") else slice(None)
    means, stds = (np.array(text.split(":"), np.float32) for text in (mean, std))
    means, stds = (values[order] if values.size == channels else values for values in (means, stds))

    def preprocess(name: str, norm: bool) -> np.ndarray:
        raw = pixels[int(name)]
        return ((raw - means) / stds).astype(np.float32) if norm else raw

    save_sim(convert_model(path, ini, CHIP).model, str(tmp_path / "net_float.sim"))
    source, config = load_sim(str(tmp_path / "net_float.sim")), load_input_config(ini)
    notes: list[str] = []
    feeds = Feeds([(str(place),) for place in range(4)], [preprocess], config, notes.append)  # type: ignore[list-item]
    facts = SimFacts(Stage.FIXED, CHIP, Path(ini).read_text())
    done = calibrate_model(source, feeds, [preprocess], config, facts, Choice())  # type: ignore[list-item]
    save_fixed(done.model, str(tmp_path / "net_fixed.sim"))
    floating, fixed = Simulator(source), Simulator(load_sim(str(tmp_path / "net_fixed.sim")))
    (real_input,), (board_input,) = floating.inputs, fixed.inputs
    assert not [text for text in notes if "disagree" in text]
    for place in range(4):
        (expected,) = floating.run({"x": np.ascontiguousarray(preprocess(str(place), True).transpose(0, 3, 1, 2))})
        raw = preprocess(str(place), False)
        raw = raw if tuple(board_input.shape) == raw.shape else np.ascontiguousarray(raw.transpose(0, 3, 1, 2))
        (found,) = fixed.run({"x": raw})
        want = expected.array if expected.array.shape == found.array.shape else expected.array.transpose(0, 2, 3, 1)
        worst = np.abs(found.array - want).max() / np.abs(want).max()
        assert worst < 0.03, (worst, real_input)


def test_a_preprocess_file_that_is_not_the_ini_is_told_with_numbers(tmp_path: Path) -> None:
    path, ini = write_net(
        build_net(), tmp_path, formats="RGB", board="RGB", mean="127.5:127.5:127.5", std_value="127.5"
    )
    save_sim(convert_model(path, ini, CHIP).model, str(tmp_path / "net_float.sim"))
    pixels = np.random.default_rng(0).integers(0, 256, (1, 8, 8, 3)).astype(np.uint8)

    def preprocess(name: str, norm: bool) -> np.ndarray:
        return (pixels / np.float32(255)).astype(np.float32) if norm else pixels

    notes: list[str] = []
    config = load_input_config(ini)
    feeds = Feeds([("a.jpg",)], [preprocess], config, notes.append)  # type: ignore[list-item]
    source = load_sim(str(tmp_path / "net_float.sim"))
    calibrate_model(source, feeds, [preprocess], config, SimFacts(Stage.FIXED, CHIP, ""), Choice())  # type: ignore[list-item]
    (note,) = [text for text in notes if "disagree" in text]
    assert (
        "what the ini says (mean 127.5:127.5:127.5, std 127.5:127.5:127.5); it uses mean 0:0:0, std 255:255:255" in note
    )
