import sys

import numpy as np
import pytest

from ipudebug.errors import InputError, MissingDependency
from ipudebug.inputs.preprocess import PreprocessFailed, PreprocessNotFound, load_preprocess

GOOD = "import numpy as np\ndef image_preprocess(image_path, norm=True):\n    "


@pytest.fixture
def script(tmp_path):
    def write_script(text, name="pre.py"):
        path = tmp_path / name
        path.write_text(text)
        return str(path)

    return write_script


def test_the_flag_reaches_the_function(script):
    (preprocess,) = load_preprocess(script(GOOD + "return np.array([len(image_path), norm])"))
    assert preprocess("abc", True).tolist() == [3, 1]
    assert preprocess("abc", False).tolist() == [3, 0]


@pytest.mark.parametrize(
    "parameters",
    [
        "path, norm=True",
        "path, size=2, norm=True",
        "path, *, norm",
        "path, **norm",
        "path, flag",
        "path, normalize=True",
    ],
)
def test_signatures_that_are_understood(script, parameters):
    name = next(n for n in ("norm", "flag", "normalize") if n in parameters.replace("*", ""))
    name = "normalize" if "normalize" in parameters else name
    value = "norm['norm']" if "**" in parameters else name
    text = f"import numpy as np\ndef image_preprocess({parameters}):\n    return np.array([{value}])"
    (preprocess,) = load_preprocess(script(text))
    assert preprocess("x", False).tolist() == [False]


@pytest.mark.parametrize("parameters", ["path", "path, size=224", "", "path, size, other"])
def test_the_second_parameter_must_be_norm(script, parameters):
    path = script(f"def image_preprocess({parameters}): return None")
    with pytest.raises(InputError) as caught:
        load_preprocess(path)
    assert caught.value.message == (
        f"{path}: image_preprocess({parameters}): the second parameter must be norm, expected "
        "def image_preprocess(image_path, norm=True)"
    )


def test_several_files_with_odd_names(script):
    first = script(GOOD + "return np.zeros(1)", "a.b.py")
    second = script(GOOD + "return np.ones(1)", "json.py")
    arrays = [preprocess("x", True) for preprocess in load_preprocess(f"{first}, {second}")]
    assert [array.tolist() for array in arrays] == [[0.0], [1.0]]


def test_a_script_may_import_its_neighbour_early_and_late(script):
    script("VALUE = 7", "neighbour_of_pre.py")
    script("VALUE = 8", "late_neighbour_of_pre.py")
    text = "import neighbour_of_pre as a\nimport numpy as np\ndef image_preprocess(path, norm):\n"
    text += "    import late_neighbour_of_pre as b\n    return np.array([a.VALUE, b.VALUE])"
    before = list(sys.path)
    (preprocess,) = load_preprocess(script(text))
    assert preprocess("x", True).tolist() == [7, 8]
    assert sys.path == before


def test_dataclasses_and_file_work_in_a_script(script):
    text = "from __future__ import annotations\nfrom dataclasses import dataclass\nimport numpy as np, os\n@dataclass\n"
    text += "class Size:\n    side: int\n"
    text += "def image_preprocess(path, norm=True): return np.zeros(Size(len(os.path.basename(__file__))).side)"
    assert load_preprocess(script(text))[0]("x", True).shape == (6,)


def test_neighbours_of_the_same_name_are_kept_apart(script, tmp_path):
    text = "import numpy as np, side_of_pre\ndef image_preprocess(path, norm):\n"
    text += "    import later_of_pre\n    later_of_pre.calls += 1\n"
    text += "    return np.array([side_of_pre.VALUE, later_of_pre.VALUE, later_of_pre.calls])"
    for number, side in enumerate(("left", "right")):
        (tmp_path / side).mkdir()
        script(f"VALUE = {number}", f"{side}/side_of_pre.py")
        script(f"VALUE = {number + 10}\ncalls = 0", f"{side}/later_of_pre.py")
        script(text, f"{side}/pre.py")
    left, right = load_preprocess(f"{tmp_path}/left/pre.py,{tmp_path}/right/pre.py")
    modules = set(sys.modules)
    assert left("x", True).tolist() == [0, 10, 1]
    assert right("x", True).tolist() == [1, 11, 1]
    assert left("x", True).tolist() == [0, 10, 2]
    assert set(sys.modules) == modules


def test_a_package_beside_the_script(script, tmp_path):
    (tmp_path / "pack_of_pre").mkdir()
    script("", "pack_of_pre/__init__.py")
    script("VALUE = 3", "pack_of_pre/inner.py")
    text = "from pack_of_pre.inner import VALUE\nimport numpy as np\ndef image_preprocess(path, norm):\n"
    text += "    from pack_of_pre import inner\n    return np.array([VALUE, inner.VALUE])"
    assert load_preprocess(script(text))[0]("x", True).tolist() == [3, 3]


def test_an_installed_module_stays_where_it_is(script):
    import json

    load_preprocess(script("import json, colorsys\n" + GOOD + "return np.zeros(1)"))
    assert sys.modules["json"] is json
    assert "colorsys" in sys.modules


def test_nothing_is_left_beside_the_script(script, tmp_path):
    script("", "quiet_neighbour_of_pre.py")
    load_preprocess(script("import quiet_neighbour_of_pre\n" + GOOD + "return np.zeros(1)"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pre.py", "quiet_neighbour_of_pre.py"]


def test_what_a_script_prints_goes_to_stderr(script, capsys):
    (preprocess,) = load_preprocess(script("print('loading')\n" + GOOD + "print('calling'); return np.zeros(1)"))
    preprocess("x", True)
    assert capsys.readouterr() == ("", "loading\ncalling\n")


def test_a_missing_file(script, tmp_path):
    with pytest.raises(PreprocessNotFound) as caught:
        load_preprocess(str(tmp_path / "none.py"))
    assert caught.value.message == f"Can not find preprocess file: {tmp_path}/none.py"
    assert isinstance(caught.value, FileNotFoundError)
    path = script(GOOD + "return np.zeros(1)")
    with pytest.raises(PreprocessNotFound) as caught:
        load_preprocess(path.removesuffix(".py"))
    assert caught.value.hint == f"did you mean {path}?"


def test_an_empty_entry():
    with pytest.raises(InputError, match="found an empty entry"):
        load_preprocess("a.py,,b.py")


def test_a_syntax_error_shows_the_line(script):
    path = script("import os\ndef image_preprocess(image_file, norm=True)\n    return 1\n")
    with pytest.raises(PreprocessFailed) as caught:
        load_preprocess(path)
    assert caught.value.message.startswith("def image_preprocess(image_file, norm=True) SyntaxError: ")
    assert f"{path}, line 2, is not valid Python" in caught.value.message


def test_not_even_text(script, tmp_path):
    (tmp_path / "pre.py").write_bytes(b"\0\xff\0")
    with pytest.raises(PreprocessFailed, match="is not valid Python") as caught:
        load_preprocess(str(tmp_path / "pre.py"))
    assert "None" not in caught.value.message
    assert caught.value.hint == "give the Python file itself"


def test_a_file_whose_name_holds_a_comma(script):
    (preprocess,) = load_preprocess(script(GOOD + "return np.zeros(2)", "a,b.py"))
    assert preprocess("x", True).tolist() == [0, 0]


def test_an_image_that_is_cut_off(script, tmp_path):
    from PIL import Image

    Image.new("RGB", (64, 64), "red").save(tmp_path / "whole.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "whole.png").read_bytes()[:-60])
    text = "from PIL import Image\n    with Image.open(image_path) as image:\n        return np.asarray(image)"
    (preprocess,) = load_preprocess(script(GOOD + text))
    assert preprocess(str(tmp_path / "whole.png"), True).shape == (64, 64, 3)
    with pytest.raises(PreprocessFailed) as caught:
        preprocess(str(tmp_path / "cut.png"), True)
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("is the image whole, and an image?")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x = 1\nraise KeyError('k')\n" + GOOD + "return 1", ", line 2: KeyError: 'k' (loading it)"),
        ("import sys\nsys.exit(3)\n", ", line 2: SystemExit: 3 (loading it)"),
        ("import json.nothing_here\n", ", line 1: ModuleNotFoundError: No module named 'json.nothing_here'"),
    ],
)
def test_a_script_that_fails_when_loaded(script, text, reason):
    path = script(text)
    modules = set(sys.modules)
    with pytest.raises(PreprocessFailed) as caught:
        load_preprocess(path)
    assert path + reason in caught.value.message
    assert not [name for name in set(sys.modules) - modules if name.startswith("_ipudebug")]


def test_a_script_that_fails_when_called(script):
    path = script(GOOD + "return inner(image_path)\ndef inner(x):\n    return np.zeros((2, 3)) @ np.zeros(4)\n")
    (preprocess,) = load_preprocess(path)
    with pytest.raises(PreprocessFailed) as caught:
        preprocess("a.jpg", True)
    assert caught.value.message.startswith(f"{path}, line 5: ValueError: matmul: ")
    assert caught.value.message.endswith("(image_preprocess('a.jpg', norm=True))")
    assert isinstance(caught.value.__cause__, ValueError)


def test_a_neighbour_that_does_not_compile(script, tmp_path):
    script("x = = 1", "broken_neighbour_of_pre.py")
    path = script("import broken_neighbour_of_pre")
    with pytest.raises(PreprocessFailed) as caught:
        load_preprocess(path)
    assert caught.value.message.startswith(f"{path}, line 1: SyntaxError: invalid syntax in {tmp_path}/broken_")


def test_ctrl_c_is_not_swallowed(script):
    with pytest.raises(KeyboardInterrupt):
        load_preprocess(script("raise KeyboardInterrupt"))


@pytest.mark.parametrize(("late", "line"), [(False, 1), (True, 2)])
def test_a_package_that_is_not_installed(script, late, line):
    text = "import no_such_package_a.b\n"
    if late:
        text = "def image_preprocess(path, norm=True):\n    import no_such_package_a\n"
    path = script(text)
    with pytest.raises(MissingDependency) as caught:
        load_preprocess(path)[0]("x", True)
    assert caught.value.message == (f"{path}, line {line}, needs the package no_such_package_a, which is not installed")
    assert caught.value.hint == "pip install no_such_package_a"
    assert isinstance(caught.value, ImportError)


def test_the_package_of_a_module_with_another_name(script, monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(MissingDependency) as caught:
        load_preprocess(script("import cv2"))
    assert caught.value.hint == "pip install opencv-python-headless"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("def get_image(path, norm=True): pass", "it defines get_image, the older form; add: def image_preprocess("),
        ("image_preprocess = 3", "define def image_preprocess(image_path, norm=True)"),
    ],
)
def test_no_function(script, text, hint):
    path = script(text)
    with pytest.raises(InputError, match=f"^No preprocess function found in {path}: expected def image_pre") as caught:
        load_preprocess(path)
    assert caught.value.hint is not None
    assert caught.value.hint.startswith(hint)


@pytest.mark.parametrize(
    ("result", "message", "hint"),
    [
        ("None", "returned NoneType, expected numpy.ndarray", "does the function end in a return statement?"),
        ("[1.0]", "returned list, expected numpy.ndarray", "return numpy.asarray(...)"),
        ("type('Tensor', (), {'numpy': 1})()", "Tensor, expected numpy.ndarray", "return .numpy() of it"),
        ("np.array([None])", "returned an array of object, expected numbers", "arrays of unequal shapes"),
        ("np.zeros((1, 0, 3))", "returned an empty array [1, 0, 3], expected data", "did the image load?"),
    ],
)
def test_results_that_are_no_arrays_of_numbers(script, result, message, hint):
    path = script(GOOD + f"return {result}")
    with pytest.raises(InputError) as caught:
        load_preprocess(path)[0]("a.jpg", True)
    assert caught.value.message.startswith(f"{path}: image_preprocess('a.jpg', norm=True) returned ")
    assert message in caught.value.message
    assert caught.value.hint is not None
    assert caught.value.hint.startswith(hint)


@pytest.mark.reference
def test_the_vendors_example(reference):
    pytest.importorskip("cv2")
    (preprocess,) = load_preprocess(str(reference / "smallnet" / "preprocess.py"))
    image = str(reference / "smallnet" / "test.jpg")
    normalised, raw = preprocess(image, True), preprocess(image, False)
    assert (normalised.shape, normalised.dtype, raw.dtype) == ((1, 32, 32, 3), np.float32, np.uint8)
    # raw is rounded to whole numbers before normalisation would divide by 127.5
    np.testing.assert_allclose(normalised, (raw - 127.5) / 127.5, atol=0.51 / 127.5)
