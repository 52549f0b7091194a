"""The command with a runner of the test's own; the real one has its own tests, and one here."""

import os
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from ipudebug import runners
from ipudebug.cli.app import EXIT_TROUBLE, run
from ipudebug.errors import ModelError
from ipudebug.results import read_result
from ipudebug.tensor import Tensor, TensorInfo

PREPROCESS = """
import pathlib
import numpy as np
def image_preprocess(path, norm=True):
    assert norm is True
    return np.full((1, 2, 4, 3), float(pathlib.Path(path).read_text()), np.float32)
"""


class Doubler:
    """A model that doubles its input."""

    inputs = (TensorInfo("x", (1, 3, 2, 4), np.dtype(np.float32)),)
    outputs = ("y",)

    def run(self, feed):
        array = feed["x"].reshape(-1)[:2] * 2
        return [Tensor(TensorInfo("y", array.shape, array.dtype), array)]


@pytest.fixture
def work(tmp_path, monkeypatch):
    """A working directory with a preprocess file and images; the runner is a Doubler."""
    (tmp_path / "pre.py").write_text(PREPROCESS)
    for name, value in {"pics/a.png": 1, "pics/b.png": 2, "more/a.png": 3}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(str(value))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(runners, "RUNNERS", {"onnx": lambda files: Doubler()})
    return tmp_path


def call(capsys, *arguments):
    code = run(["run-onnx", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def values(path):
    (tensor,) = read_result(str(path))
    return tensor.array.tolist()


def test_one_image(work, capsys):
    assert call(capsys, "-i", "pics/a.png", "--model", "m/net.onnx", "-n", "pre.py") == (
        0,
        "pics/a.png -> output/unknown_net.onnx_a.png.txt\n1 image done, results in output\n",
        "",
    )
    assert Path("output/unknown_net.onnx_a.png.txt").read_text() == (
        "y Tensor:\n{\ntensor dim:1,  Original shape:[2]\ntensor data:\n2.000000  2.000000  \n}\n\n"
    )


def test_images_of_the_same_name_get_files_of_their_own(work, capsys):
    Path("list.txt").write_text("pics/a.png\nmore/a.png\n")
    code, out, err = call(capsys, "--image", "list.txt", "--model", "net.onnx", "--preprocess", "pre.py", "-o", "res/x")
    assert (code, err) == (0, "")
    assert out == (
        "pics/a.png -> res/x/unknown_net.onnx_a.png.txt\n"
        "more/a.png -> res/x/unknown_net.onnx_a.png_2.txt\n"
        "2 images done, results in res/x\n"
    )
    assert values("res/x/unknown_net.onnx_a.png.txt") == [2, 2]
    assert values("res/x/unknown_net.onnx_a.png_2.txt") == [6, 6]


def test_results_of_an_earlier_run_are_replaced_and_that_is_told(work, capsys):
    call(capsys, "-i", "pics/a.png", "--model", "net.onnx", "-n", "pre.py")
    Path("pics/a.png").write_text("5")
    code, out, err = call(capsys, "-i", "pics", "--model", "net.onnx", "-n", "pre.py")
    assert (code, err) == (0, "note: 1 result of an earlier run replaced in output\n")
    assert "2 images done" in out
    assert values("output/unknown_net.onnx_a.png.txt") == [10, 10]


@pytest.mark.parametrize("option", ["--input_config", "--input-config"])
def test_the_ini_is_honoured_in_both_spellings(work, capsys, option):
    Path("c.ini").write_text("[INPUT_CONFIG]\ninputs=x;\ninput_layouts=NCHW;\nodd=1\n")
    code, out, err = call(capsys, "-i", "pics/a.png", "--model", "net.onnx", "-n", "pre.py", option, "c.ini")
    assert (code, out) == (EXIT_TROUBLE, "")
    assert err == (
        "note: c.ini, line 4, [INPUT_CONFIG] odd: unknown key, ignored\n"
        "error: Cannot set tensor: Dimension mismatch. Got 2 but expected 3 for dimension 1 of input 0, name: x; "
        "the preprocess returned [1, 2, 4, 3], the model takes [1, 3, 2, 4] (image pics/a.png)\n"
        "hint: the ini says input_layouts=NCHW, but NHWC would fit: correct one of the two\n"
    )


def test_a_name_that_the_model_lacks(work, capsys):
    Path("c.ini").write_text("[INPUT_CONFIG]\ninputs=images1;\n")
    code, _, err = call(capsys, "-i", "pics", "--model", "net.onnx", "-n", "pre.py", "--input_config", "c.ini")
    assert code == EXIT_TROUBLE
    assert err.startswith(
        'error: The model doesn\'t have input named "images1". c.ini, line 2, [INPUT_CONFIG] inputs: '
        "expected the model's inputs (x), found images1\n"
    )
    assert not Path("output").exists()


def test_an_image_that_fails_stops_the_run_and_keeps_the_earlier_results(work, capsys):
    Path("pics/b.png").write_text("no number")
    code, out, err = call(capsys, "-i", "pics", "--model", "net.onnx", "-n", "pre.py")
    assert (code, out) == (EXIT_TROUBLE, "pics/a.png -> output/unknown_net.onnx_a.png.txt\n")
    assert "pre.py, line 6: ValueError: could not convert string to float" in err
    assert os.listdir("output") == ["unknown_net.onnx_a.png.txt"]


@pytest.mark.parametrize("left_out", ["-i", "--model", "-n"])
def test_required_options(work, capsys, left_out):
    arguments = {"-i": "pics", "--model": "net.onnx", "-n": "pre.py"}
    del arguments[left_out]
    code, _, err = call(capsys, *(word for pair in arguments.items() for word in pair))
    assert code == EXIT_TROUBLE
    assert "Missing option" in err


def test_what_needs_no_model_is_checked_before_it_is_opened(work, capsys, monkeypatch):
    def refuse(files):
        raise ModelError("opened")

    monkeypatch.setattr(runners, "RUNNERS", {"onnx": refuse})
    assert "No such none image" in call(capsys, "-i", "none", "--model", "net.onnx", "-n", "pre.py")[2]
    assert "Can not find preprocess" in call(capsys, "-i", "pics", "--model", "net.onnx", "-n", "none.py")[2]
    config = ("--input_config", "none.ini")
    assert "input_config.ini file not found." in call(capsys, "-i", "pics", "--model", "m", "-n", "pre.py", *config)[2]
    assert "error: opened" in call(capsys, "-i", "pics", "--model", "net.onnx", "-n", "pre.py")[2]


def test_a_file_where_the_output_folder_should_be(work, capsys):
    Path("output").write_text("")
    code, _, err = call(capsys, "-i", "pics", "--model", "net.onnx", "-n", "pre.py")
    assert code == EXIT_TROUBLE
    assert "error: cannot create the folder output" in err


def test_the_help_has_examples():
    from ipudebug.cli.commands.run_onnx import command

    text = CliRunner().invoke(command, ["-h"]).output
    assert "ipudebug run-onnx -i cat.jpg --model model.onnx -n preprocess.py" in text


TYPES = {
    "FLOAT": 2.5,
    "FLOAT16": 2.5,
    "BFLOAT16": 2.5,
    "DOUBLE": 2.5,
    "INT8": -7,
    "INT16": -300,
    "INT32": -70000,
    "INT64": -70000,
    "UINT8": 200,
    "UINT16": 65000,
    "UINT32": 70000,
    "UINT64": 70000,
    "BOOL": 1,
}


@pytest.mark.parametrize("element", TYPES)
def test_every_input_type_with_the_real_runner(tmp_path, monkeypatch, capsys, element):
    import onnx
    from onnx import TensorProto, helper

    monkeypatch.chdir(tmp_path)
    value = TYPES[element]
    graph = helper.make_graph(
        [helper.make_node("Cast", ["x"], ["y"], to=TensorProto.FLOAT)],
        "cast",
        [helper.make_tensor_value_info("x", getattr(TensorProto, element), [1, 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 2])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, "cast.onnx")
    Path("pre.py").write_text(
        f"import numpy as np\ndef image_preprocess(path, norm=True): return np.array([[{value}, 0]], np.float32)\n"
    )
    Path("any.raw").write_text("")
    assert call(capsys, "-i", "any.raw", "--model", "cast.onnx", "-n", "pre.py")[0] == 0
    assert values("output/unknown_cast.onnx_any.raw.txt") == [[float(value), 0.0]]


def test_two_inputs_by_name_with_the_real_runner(tmp_path, monkeypatch, capsys):
    import onnx
    from onnx import TensorProto, helper

    monkeypatch.chdir(tmp_path)
    graph = helper.make_graph(
        [helper.make_node("Sub", ["a", "b"], ["y"])],
        "difference",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, "h", 4]) for name in "ab"],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), "two.onnx")
    for name, shape in {"a": (1, 2, 4, 3), "b": (1, 3, 2, 4)}.items():
        Path(f"{name}.py").write_text(
            "import numpy as np\ndef image_preprocess(path, norm=True):\n"
            f"    return np.arange(24, dtype=np.float32).reshape({shape})\n"
        )
    Path("x.png").write_text("")
    Path("list.txt").write_text("x.png,x.png\n")
    Path("c.ini").write_text("[INPUT_CONFIG]\ninputs = b,a;\ninput_layouts = NCHW,NHWC;\n")
    arguments = ("-i", "list.txt", "--model", "two.onnx", "-n", "a.py,b.py", "--input_config", "c.ini")
    assert call(capsys, *arguments) == (
        0,
        "x.png -> output/unknown_two.onnx_x.png.txt\n1 image done, results in output\n",
        "",
    )
    counted = np.arange(24).reshape(1, 2, 4, 3)
    expected = np.moveaxis(counted, 3, 1) - np.arange(24).reshape(1, 3, 2, 4)
    assert values("output/unknown_two.onnx_x.png.txt") == expected.tolist()


@pytest.mark.reference
def test_the_vendors_network(reference, tmp_path, monkeypatch, capsys):
    pytest.importorskip("cv2")
    folder = reference / "smallnet"
    monkeypatch.chdir(tmp_path)
    code, _, err = call(
        capsys,
        *("-i", str(folder / "test.jpg"), "--model", str(folder / "smallnet.onnx")),
        *("-n", str(folder / "preprocess.py"), "--input_config", str(folder / "input_config.ini")),
    )
    assert (code, err) == (0, "")
    # float.sim is the same network, converted and run by the vendor's simulator
    (vendor,) = read_result(str(folder / "outputs" / "float" / "unknown_float.sim_test.jpg.txt"))
    np.testing.assert_allclose(values("output/unknown_smallnet.onnx_test.jpg.txt"), vendor.array, atol=2e-6)
