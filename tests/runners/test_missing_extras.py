"""What is said where an optional package is missing; needs none of them."""

import sys
import types

import pytest

from ipudebug.errors import MissingDependency
from ipudebug.runners.caffe import import_opencv
from ipudebug.runners.litert import import_litert


def test_caffe_without_opencv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(MissingDependency) as error:
        import_opencv()
    assert error.value.message.startswith("Caffe networks need opencv-python-headless")
    assert error.value.hint is not None
    assert error.value.hint.startswith("pip install 'ipudebug[caffe]'")


def test_caffe_with_an_opencv_that_no_longer_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    five = types.ModuleType("cv2")
    five.__version__ = "5.0.0"
    five.dnn = types.ModuleType("cv2.dnn")
    monkeypatch.setitem(sys.modules, "cv2", five)
    with pytest.raises(MissingDependency, match=r"OpenCV 5\.0\.0 no longer reads Caffe"):
        import_opencv()


def test_tflite_without_litert(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    with pytest.raises(MissingDependency) as error:
        import_litert()
    assert error.value.message.startswith("TFLite models need ai-edge-litert")
    assert error.value.hint is not None
    assert error.value.hint.startswith("pip install 'ipudebug[tflite]'")
