import lzma
import math

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipudebug.errors import InputError, IpuDebugError, OutputError
from ipudebug.results import (
    Classification,
    make_folder,
    name_result,
    read_result,
    write_classification,
    write_result,
)
from ipudebug.tensor import Tensor, TensorInfo


def tensor(array, name="prob"):
    array = np.asarray(array)
    return Tensor(TensorInfo(name, array.shape, array.dtype), array)


def test_the_name():
    assert name_result("models/net.onnx", "a/b/cat.jpg") == "unknown_net.onnx_cat.jpg"
    assert name_result("net.sim", "cat.jpg", "classification") == "classification_net.sim_cat.jpg"


def test_the_form_of_a_file(tmp_path):
    values = np.arange(34, dtype=np.float32).reshape(1, 17, 2) / 8
    write_result(str(tmp_path / "r.txt"), [tensor(values), tensor(np.int64(7), "n"), tensor(np.zeros((0, 3)), "none")])
    row = "".join(f"{i / 8:f}  " for i in range(16))
    second = "".join(f"{i / 8:f}  " for i in range(16, 32))
    assert (tmp_path / "r.txt").read_text() == (
        "prob Tensor:\n{\ntensor dim:3,  Original shape:[1 17 2]\ntensor data:\n"
        f"{row}\n{second}\n4.000000  4.125000  \n}}\n\n"
        "n Tensor:\n{\ntensor dim:0,  Original shape:[]\ntensor data:\n7.000000  \n}\n\n"
        "none Tensor:\n{\ntensor dim:2,  Original shape:[0 3]\ntensor data:\n}\n\n"
    )


@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 4095, 4096, 4097, 9000])
def test_what_is_written_is_read_back(tmp_path, count):
    path = str(tmp_path / "r.txt")
    values = np.random.default_rng(count).normal(size=(1, count)).astype(np.float32)
    write_result(path, [tensor(values, "a b Tensor:")])
    (back,) = read_result(path)
    assert (back.info.name, back.info.shape) == ("a b Tensor:", (1, count))
    assert back.array.ravel().tolist() == [float(f"{value:.6f}") for value in values.ravel().tolist()]


@pytest.mark.parametrize(
    "array",
    [
        np.array([True, False]),
        np.array([1, -2], np.int8),
        np.array([0.5, -2], np.float16),
        np.array([0.5, -2], ml_dtypes.bfloat16),
        np.array([math.nan, math.inf, -math.inf]),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    ],
)
def test_every_numeric_type(tmp_path, array):
    path = str(tmp_path / "r.txt")
    write_result(path, [tensor(array)])
    (back,) = read_result(path)
    np.testing.assert_array_equal(back.array, array.astype(np.float64))


@pytest.mark.parametrize("array", [np.array(["x"], object), np.array(["x"]), np.array([1j])])
def test_what_is_no_real_number_is_refused_and_leaves_no_file(tmp_path, array):
    with pytest.raises(OutputError, match="output odd holds"):
        write_result(str(tmp_path / "r.txt"), [tensor([1.0]), tensor(array, "odd")])
    assert list(tmp_path.iterdir()) == []


def test_a_failing_stream_leaves_the_earlier_result(tmp_path):
    path = tmp_path / "r.txt"
    write_result(str(path), [tensor([1.0])])
    before = path.read_bytes()

    def fail():
        yield tensor([2.0])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_result(str(path), fail())
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("r.txt", before)]


def test_a_line_break_in_a_name_does_not_break_the_file(tmp_path):
    path = str(tmp_path / "r.txt")
    write_result(path, [tensor([1.0], "a\nb")])
    assert [t.info.name for t in read_result(path)] == ["a_b"]


def test_a_folder_that_cannot_be_made(tmp_path):
    make_folder(str(tmp_path / "a" / "b"))
    make_folder(str(tmp_path / "a" / "b"))
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot create the folder"):
        make_folder(str(tmp_path / "file"))
    with pytest.raises(OutputError, match="cannot create the folder"):
        make_folder(str(tmp_path / "file" / "below"))


def test_classification(tmp_path):
    path = str(tmp_path / "c.txt")
    write_classification(path, "a/test.jpg", np.array([[0.1, 0.5, 0.2, 0.5, math.nan, 0.0, -1]], np.float32))
    with open(path) as file:
        assert file.read() == "test.jpg\n1 0.500000\n3 0.500000\n2 0.200000\n0 0.100000\n5 0.000000\n"
    assert read_result(path) == Classification("test.jpg", (1, 3, 2, 0, 5), (0.5, 0.5, 0.2, 0.1, 0.0))


HEAD = "p Tensor:\n{\ntensor dim:2,  Original shape:[1 2]\ntensor data:\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: expected '<name> Tensor:'"),
        ("hello\nworld\n", "line 1: expected '<name> Tensor:'"),
        ("p Tensor:\n{\n", "at its end: expected tensor dim:<n>, Original shape:[...], found nothing"),
        (HEAD, "line 4: expected a '}' after the values, found the end of the file"),
        (HEAD + "1.0 2.0", "line 5: expected a '}' after the values"),
        (HEAD + "1.0\n}\n", "line 6: expected 2 values for output p [1, 2], found 1"),
        (HEAD + "1.0 x\n}\n", "line 5: expected numbers, found '1.0 x'"),
        (
            HEAD + "1 2\n}\n\nq Tensor:\n",
            "expected '<name> Tensor:' and '{', found 'q Tensor:' and 'the end of the file'",
        ),
        (HEAD.replace("dim:2", "dim:3"), "line 3: expected shapes of 3 dimensions"),
        (HEAD.replace("[1 2]", "[1 2],\tAlignment shape:[1 1]"), "line 3: expected shapes of 2 dimensions"),
        (HEAD.replace("[1 2]", "[0 " + "9" * 18 + " 9]").replace("dim:2", "dim:3"), "line 3: expected shapes"),
        (HEAD.replace("tensor data", "data"), "line 4: expected tensor data:, found 'data:'"),
        ("x.jpg\n1 0.5\nend\n", "line 3: expected '<class> <score>', found 'end'"),
        ("a" * 70000, "line 1: expected a line below 65536 characters"),
    ],
)
def test_damaged_files(tmp_path, text, message):
    path = tmp_path / "r.txt"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_result(str(path))
    assert message in caught.value.message
    assert caught.value.hint


def test_a_missing_file(tmp_path):
    with pytest.raises(InputError, match="the result file: no such file"):
        read_result(str(tmp_path / "none.txt"))


TOKENS = st.sampled_from(
    [
        "p Tensor:\n",
        "{\n",
        "}\n",
        "tensor dim:2,  Original shape:[1 2]",
        ",\tAlignment shape:[1 16]",
        "\n",
        "1.0 ",
        "x 1",
    ]
)


@given(
    st.binary() | st.lists(TOKENS | st.text(max_size=3)).map(lambda parts: "".join(parts).encode("utf-8", "replace"))
)
def test_any_bytes_give_a_result_or_an_error_of_ours(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any_result.txt"
    path.write_bytes(content)
    try:
        result = read_result(str(path))
    except IpuDebugError:
        return
    assert result


@pytest.mark.reference
@pytest.mark.parametrize(
    ("folder", "model"),
    [
        ("float", "float.sim"),
        ("fixed", "fixed.sim"),
        ("fixed_skip_garbage", "fixed.sim"),
        ("offline", "offline.sim"),
    ],
)
def test_result_files_of_the_vendor(reference, folder, model):
    path = reference / "smallnet" / "outputs" / folder / f"{name_result(model, 'test.jpg')}.txt"
    (prob,) = read_result(str(path))
    values = [float(word) for word in path.read_text().split("tensor data:\n")[1].split("}")[0].split()]
    assert (prob.info.name, prob.info.shape) == ("prob", (1, 10))
    assert prob.array[0].tolist() == values[:10]
    assert math.isclose(math.fsum(prob.array[0].tolist()), 1.0, abs_tol=1e-4)


@pytest.mark.reference
def test_classifications_of_the_vendor(reference):
    path = reference / "smallnet" / "outputs" / "classification_float" / "classification_float.sim_test.jpg.txt"
    assert read_result(str(path)) == Classification(
        "test.jpg", (4, 8, 3, 1, 6), (0.255163, 0.250105, 0.139430, 0.110383, 0.105564)
    )


@pytest.mark.reference
def test_large_result_files_of_the_vendor(reference, tmp_path):
    folder = reference / "rfb320" / "outputs"
    text = {}
    for kind in ("float", "fixed"):
        text[kind] = lzma.decompress((folder / f"unknown_{kind}.sim_test.jpg.txt.xz").read_bytes()).decode()
        (tmp_path / kind).write_text(text[kind])
    scores, boxes = read_result(str(tmp_path / "float"))
    aligned = read_result(str(tmp_path / "fixed"))
    assert [t.info.shape for t in (scores, boxes, *aligned)] == [(1, 14100, 2), (1, 14100, 4)] * 2
    # the fixed model's padding is gone: what is left is close to the float model's
    assert np.abs(aligned[0].array - scores.array).mean() < 0.01
    write_result(str(tmp_path / "ours"), [scores, boxes])
    assert (tmp_path / "ours").read_text().split() == text["float"].split()


def test_a_result_in_the_board_s_shape(tmp_path):
    path = str(tmp_path / "r.txt")
    values = np.arange(1, 5, dtype=np.float32).reshape(2, 2)
    write_result(path, [tensor(values, "a"), tensor(np.float32(7), "b")], [(2, 8), ()])
    text = (tmp_path / "r.txt").read_text()
    zeros = "0.000000  " * 6
    assert text == (
        "a Tensor:\n{\ntensor dim:2,  Original shape:[2 2],  Alignment shape:[2 8]\n"
        "The following tensor data shape is alignment shape.\ntensor data:\n"
        f"1.000000  2.000000  {zeros}3.000000  4.000000  {zeros}\n}}\n\n"
        "b Tensor:\n{\ntensor dim:0,  Original shape:[],  Alignment shape:[]\n"
        "The following tensor data shape is alignment shape.\ntensor data:\n7.000000  \n}\n\n"
    )
    first, second = read_result(path)
    assert np.array_equal(first.array, values)
    assert second.array == 7
