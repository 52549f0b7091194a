import numpy as np
import pytest

from ipudebug.config.input_config import InputConfig, UnknownInput
from ipudebug.errors import InputError
from ipudebug.inputs.feeds import load_feeds
from ipudebug.inputs.images import WrongImageCount
from ipudebug.tensor import Layout, TensorInfo

PREPROCESS = """
import pathlib
import numpy as np
def image_preprocess(path, norm=True):
    size = int(pathlib.Path(path).read_text())
    return np.full((1, 2, size, 3), 0.5 if norm else 9, np.float32)
"""
A = TensorInfo("a", (1, 3, 2, 4), np.dtype(np.float32))
B = TensorInfo("b", (1, 2, 4, 3), np.dtype(np.float32))


@pytest.fixture
def work(tmp_path, monkeypatch):
    """A working directory with a preprocess file and two images."""
    (tmp_path / "pre.py").write_text(PREPROCESS)
    (tmp_path / "pics").mkdir()
    (tmp_path / "pics" / "x.png").write_text("4")
    (tmp_path / "pics" / "y.png").write_text("4")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_sample_becomes_a_feed(work):
    feeds = load_feeds("pics", "pre.py")
    drawn = [(sample, feed["a"].shape, feed["a"].max()) for sample, feed in feeds.fit([A])]
    assert drawn == [(("pics/x.png",), (1, 3, 2, 4), 0.5), (("pics/y.png",), (1, 3, 2, 4), 0.5)]
    assert next(feeds.fit([A], norm=False))[1]["a"].max() == 9


def test_layouts_go_by_name_and_notes_come_once(work):
    (work / "c.ini").write_text("[INPUT_CONFIG]\ninputs=b,a;\ninput_layouts=NCHW,NHWC;\nodd_key=1;\n")
    (work / "list").write_text("pics/x.png,pics/x.png\n" * 3)
    notes = []
    feeds = load_feeds("list", "pre.py,pre.py", "c.ini", notes.append)
    shapes = [(feed["a"].shape, feed["b"].shape) for _, feed in feeds.fit([A, B])]
    assert shapes == [((1, 3, 2, 4), (1, 2, 4, 3))] * 3
    assert notes == ["c.ini, line 4, [INPUT_CONFIG] odd_key: unknown key, ignored"]


def test_a_note_about_each_image_comes_once(work):
    notes = []
    assert len(list(load_feeds("pics", "pre.py", note=notes.append).fit([B]))) == 2
    assert len(notes) == 1
    assert "not transposed" in notes[0]


def test_an_input_that_the_ini_leaves_out_is_noted(work):
    (work / "c.ini").write_text("[INPUT_CONFIG]\ninputs=a;\n")
    (work / "list").write_text("pics/x.png,pics/x.png\n")
    notes = []
    list(load_feeds("list", "pre.py,pre.py", "c.ini", notes.append).fit([A, B]))
    assert notes[0] == "c.ini: input b of the model is not in inputs; NHWC is assumed"


def test_a_name_that_the_model_lacks_is_told_before_anything_is_drawn(work):
    (work / "c.ini").write_text("[INPUT_CONFIG]\ninputs=z;\n")
    feeds = load_feeds("pics", "pre.py", "c.ini")
    with pytest.raises(UnknownInput, match='The model doesn\'t have input named "z"'):
        feeds.fit([A])


def test_a_fault_of_one_image_names_it(work):
    (work / "pics" / "y.png").write_text("5")
    drawn = load_feeds("pics", "pre.py").fit([A])
    next(drawn)
    with pytest.raises(InputError, match=r"Got 5 but expected 4 .* \(image pics/y\.png\)$"):
        next(drawn)


def test_the_number_of_inputs_is_checked_twice(work):
    with pytest.raises(WrongImageCount):
        load_feeds("pics", "pre.py,pre.py")
    with pytest.raises(InputError, match="Got different num of inputs and images!"):
        next(load_feeds("pics", "pre.py").fit([A, B]))


def test_one_sample_at_a_time_and_an_ini_that_is_read_already(tmp_path):
    (tmp_path / "pre.py").write_text(
        "import pathlib\nimport numpy as np\n"
        "def image_preprocess(path, norm=True):\n"
        "    return np.full((1, 3, 2, 4), float(pathlib.Path(path).read_text()) + norm, np.float32)\n"
    )
    for number in (1, 2):
        (tmp_path / f"{number}.png").write_text(str(number))
    config = InputConfig("net.sim", inputs=("x",), input_layouts=(Layout.NCHW,))
    feeds = load_feeds(str(tmp_path), str(tmp_path / "pre.py"), config)
    info = TensorInfo("x", (1, 3, 2, 4), np.dtype(np.float32), layout=Layout.NCHW)
    for number, sample in enumerate(feeds.samples, start=1):
        feed = feeds.prepare(sample, [info], norm=False)
        assert (feed["x"].shape, feed["x"].max()) == ((1, 3, 2, 4), number)
    with pytest.raises(InputError, match=rf"Dimension mismatch.* \(image {tmp_path}/1\.png\)"):
        feeds.prepare(feeds.samples[0], [TensorInfo("x", (1, 3, 9, 9), np.dtype(np.float32), layout=Layout.NCHW)])
