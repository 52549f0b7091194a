import contextlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipudebug.errors import ModelError
from ipudebug.runners.caffe_weights import CaffeWeights
from tests.runners.caffe_files import write_caffe


@pytest.mark.parametrize("legacy", [False, True])
def test_names_and_shapes_are_indexed(tmp_path: Path, legacy: bool) -> None:
    blobs = {"conv": [np.zeros((200, 3, 3, 3)), np.zeros(200)], "relu": [], "fc": [np.zeros((10, 7))]}
    files = write_caffe(tmp_path, "", blobs, legacy=legacy)
    weights = CaffeWeights(str(files.weights))
    assert [name in weights for name in ("conv", "relu", "fc", "absent")] == [True, False, True, False]
    expected = [(200, 3, 3, 3), (1, 1, 1, 200)] if legacy else [(200, 3, 3, 3), (200,)]
    assert weights.shapes("conv") == expected
    assert weights.shapes("absent") == []


def test_one_layer_is_taken_out_whole(tmp_path: Path) -> None:
    blob = np.arange(1000, dtype=np.float32)
    files = write_caffe(tmp_path, "", {"a": [np.zeros(5)], "b": [blob]})
    alone = tmp_path / "alone.caffemodel"
    alone.write_bytes(CaffeWeights(str(files.weights)).encode("b", "c"))
    again = write_caffe(tmp_path, "", {"c": [blob]})
    assert alone.read_bytes() == Path(str(again.weights)).read_bytes()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no layers"),
        (b"layer {\n  name: 'a'\n}\n", "is no .caffemodel"),
        (b"\xff\xd8\xff\xe0", "is no .caffemodel"),
        (b"\x08\x01", "holds no layers"),
    ],
)
def test_says_what_is_no_caffemodel(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "net.caffemodel"
    path.write_bytes(content)
    with pytest.raises(ModelError) as error:
        CaffeWeights(str(path))
    assert message in error.value.message


def test_a_file_that_was_cut_off_is_called_so(tmp_path: Path) -> None:
    files = write_caffe(tmp_path, "", {"a": [np.zeros(50)], "b": [np.zeros(50)]})
    path = Path(str(files.weights))
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(ModelError, match="is cut off"):
        CaffeWeights(str(path))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "net.caffemodel"
    path.write_bytes(content)
    with contextlib.suppress(ModelError):
        CaffeWeights(str(path))
