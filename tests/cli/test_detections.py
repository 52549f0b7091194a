"""Boxes: from the outputs of a detector to lines of JSON and rectangles."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ipudebug.cli.detections import (
    Detection,
    NoDetector,
    draw_detections,
    find_roles,
    measure_image,
    parse_drawing,
    read_detections,
    write_detections,
)
from ipudebug.errors import InputError
from ipudebug.tensor import Tensor, TensorInfo
from tests.command import run_command
from tests.sim.test_loading import with_facts

BOXES = [[0.1, 0.2, 0.5, 0.7], [0.0, 0.0, 1.0, 1.0], [0.5, 0.5, 0.6, 0.6]]


def outputs(num: float = 2, **changes: list[float]) -> list[Tensor]:
    values = {"boxes": BOXES, "classes": [4, 0, 9], "scores": [0.9, 0.4, 0.1], "num": [num], **changes}
    arrays = {name: np.float32(value)[np.newaxis] for name, value in values.items()}
    return [Tensor(TensorInfo(name, array.shape, array.dtype), array) for name, array in arrays.items()]


def test_boxes_are_in_pixels_and_categories_count_from_one() -> None:
    first, second = read_detections(outputs(), (200, 100))
    assert (first.category, second.category) == (5, 1)
    np.testing.assert_allclose(first.box, (40, 10, 100, 40), rtol=1e-6)
    assert second.box == (0, 0, 200, 100)
    assert [first.score, second.score] == [np.float32(0.9), np.float32(0.4)]


@pytest.mark.parametrize(("num", "count"), [(0, 0), (2.9, 3), (99, 3), (-1, 0), (float("nan"), 0), (float("inf"), 3)])
def test_any_number_of_boxes(num: float, count: int) -> None:
    assert len(read_detections(outputs(num), (10, 10))) == count


def test_a_class_that_is_no_number() -> None:
    assert read_detections(outputs(1, classes=[float("nan"), 0, 0]), (10, 10))[0].category == 0


def test_names_tell_the_outputs_or_else_their_order() -> None:
    mixed = [("scores", 3), ("num_detections", 1), ("detection_boxes", 12), ("classes", 3)]
    assert find_roles(mixed) == {"boxes": 2, "classes": 3, "scores": 0, "num": 1}
    assert find_roles([("a", 12), ("b", 3), ("c", 3), ("d", 1)]) == {"boxes": 0, "classes": 1, "scores": 2, "num": 3}
    for wrong in ([("a", 12)], [("a", 3), ("b", 12), ("c", 3), ("d", 1)], [*mixed, ("e", 1)], []):
        with pytest.raises(NoDetector, match="Model doesn't concat SGS Postprocess method, can't handle Detection!"):
            find_roles(wrong)


@pytest.mark.parametrize(("image", "number"), [("a/000000006409.jpg", 6409), ("cat12.5.jpg", 12), ("cat.jpg", 0)])
def test_a_line_per_box(tmp_path: Path, image: str, number: int) -> None:
    path = tmp_path / "r.txt"
    write_detections(str(path), image, [Detection(5, (40, 10, 100, 40), 0.9), Detection(1, (0, 0, 1, 1), 0.25)])
    first, second = path.read_text().splitlines()
    bbox = "[40.000000,10.000000,100.000000,40.000000]"
    assert first == f'{{"image_id":{number}, "category_id":5, "bbox":{bbox}, "score": 0.900000}},'
    assert json.loads(second.removesuffix(","))["score"] == 0.25


def test_boxes_that_reach_the_threshold_are_drawn(tmp_path: Path) -> None:
    image, target = str(tmp_path / "black.png"), str(tmp_path / "drawn.png")
    Image.new("L", (60, 40)).save(image)
    assert measure_image(image) == (60, 40)
    odd = Detection(3, (float("nan"), 0, 1, 1), 0.9)
    boxes = [Detection(5, (10, 10, 30, 20), 0.8), Detection(1, (45, 5, 10, 30), 0.4), odd]
    assert draw_detections(image, target, boxes, 0.5) == 1
    pixels = np.asarray(Image.open(target))
    assert pixels.shape == (40, 60, 3)
    assert pixels[30, 10:41].tolist() == [[255, 0, 0]] * 31
    assert not pixels[:, 43:].any()


def test_a_file_that_is_no_image(tmp_path: Path) -> None:
    (tmp_path / "x.jpg").write_bytes(b"nothing")
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)).save(tmp_path / "cut.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:500])
    for name in ("x.jpg", "cut.png", "missing.png"):
        with pytest.raises(InputError, match=rf"{name}: expected an image, whose size the boxes need"):
            measure_image(str(tmp_path / name))


def test_the_argument_of_draw_result() -> None:
    assert parse_drawing("out") == ("out", 0.5)
    assert parse_drawing("a,b,0.25") == ("a,b", 0.25)
    for text in ("out,x", ",0.5", "out,1.5", "out,-1"):
        with pytest.raises(InputError, match="expected DIR or DIR,THRESHOLD"):
            parse_drawing(text)


def test_a_detector_is_simulated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd) -> None:
    import onnx

    net = """
        <ir_version: 8, opset_import: ["" : 17]>
        net (float[1,1,1,1] x) => (float[1,1,4] boxes, float[1,1] classes, float[1,1] scores, float[1] num)
        <float[1,1,4] b = {0.25,0.25,0.75,0.5}, float[1,1] c = {6}, float[1,1] s = {0.75}, float[1] n = {1},
         int64[1] one = {1}>
        { f = Reshape(x, one) boxes = Add(b, f) classes = Add(c, f) scores = Add(s, f) num = Add(n, f) }
    """
    model = onnx.shape_inference.infer_shapes(with_facts(onnx.parser.parse_model(net), ""))
    (tmp_path / "net.sim").write_bytes(model.SerializeToString())
    (tmp_path / "pre.py").write_text(
        "import numpy as np\ndef image_preprocess(path, norm=True): return np.zeros((1, 1, 1, 1), np.float32)\n"
    )
    Image.new("RGB", (80, 40)).save(tmp_path / "7.png")
    monkeypatch.chdir(tmp_path)
    arguments = ("-m", "net.sim", "-i", "7.png", "-n", "pre.py", "-c", "Detection", "--draw_result", "drawn,0.7")
    done = run_command(capfd, "simulate", *arguments)
    assert (done.code, done.stderr) == (0, "note: 7.png: 1 of 1 boxes drawn\n")
    text = Path("log/output/detection_net.sim_7.png.txt").read_text()
    bbox = "[20.000000,10.000000,20.000000,20.000000]"
    assert text == f'{{"image_id":7, "category_id":7, "bbox":{bbox}, "score": 0.750000}},\n'
    assert np.asarray(Image.open("drawn/7.png"))[10, 20].tolist() == [255, 0, 0]
