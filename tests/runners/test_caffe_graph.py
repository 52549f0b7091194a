from pathlib import Path

import pytest

from ipudebug.errors import ModelError
from ipudebug.runners.caffe_graph import CaffeGraph, read_graph

INPUT = 'input: "data" input_shape { dim: 1 dim: 3 dim: 4 dim: 4 }\n'


def graph(folder: Path, text: str) -> CaffeGraph:
    path = folder / "net.prototxt"
    path.write_text(text)
    return read_graph(str(path))


def layer(kind: str, bottom: str, top: str, rest: str = "", name: str = "") -> str:
    return f'layer {{ name: "{name or kind}" type: "{kind}" bottom: "{bottom}" top: "{top}" {rest} }}\n'


def test_in_place_layers_get_names_of_their_own(tmp_path: Path) -> None:
    text = INPUT + layer("Convolution", "data", "conv") + layer("BatchNorm", "conv", "conv")
    text += layer("Scale", "conv", "conv") + layer("ReLU", "conv", "conv") + layer("Pooling", "conv", "pool")
    network = graph(tmp_path, text)
    assert [layer.tops for layer in network.layers] == [
        ("conv",),
        ("conv_xx",),
        ("conv_xx_xx",),
        ("conv_xx_xx_xx",),
        ("pool",),
    ]
    assert [layer.bottoms for layer in network.layers][1:] == [
        ("conv",),
        ("conv_xx",),
        ("conv_xx_xx",),
        ("conv_xx_xx_xx",),
    ]
    assert network.outputs == {"pool": "pool"}


def test_a_name_that_the_file_uses_itself_is_not_taken_twice(tmp_path: Path) -> None:
    text = INPUT + layer("ReLU", "data", "data_xx") + layer("ReLU", "data", "data")
    assert graph(tmp_path, text).outputs == {"data_xx": "data_xx", "data_xx_xx": "data"}


@pytest.mark.parametrize(
    "declaration",
    [
        INPUT,
        'input: "data" input_dim: 1 input_dim: 3 input_dim: 4 input_dim: 4\n',
        'layer { name: "in" type: "Input" top: "data" input_param { shape { dim: [1, 3, 4, 4] } } }\n',
    ],
)
def test_inputs_are_read_however_they_are_declared(tmp_path: Path, declaration: str) -> None:
    network = graph(tmp_path, declaration + layer("ReLU", "data", "out"))
    assert network.inputs == {"data": (1, 3, 4, 4)}
    assert len(network.layers) == 1


def test_layers_that_only_train_are_left_out(tmp_path: Path) -> None:
    text = INPUT + layer("ReLU", "data", "data", "include { phase: TRAIN }") + layer("Sigmoid", "data", "out")
    text += layer("Loss", "out", "loss", "exclude { phase: TEST }") + layer(
        "TanH", "out", "t", "include { phase: TEST }"
    )
    network = graph(tmp_path, text)
    assert [layer.kind for layer in network.layers] == ["Sigmoid", "TanH"]
    assert "Loss" not in network.text
    assert "phase: TRAIN" not in network.text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no layers"),
        (layer("ReLU", "data", "out"), "declares no input"),
        (INPUT + layer("ReLU", "dat", "out"), "layer ReLU reads dat, which no layer before it makes"),
        ('input: "data"\n' + layer("ReLU", "data", "out"), "expected a shape for each of the inputs data, found 0"),
        ('input: "data" input_shape { dim: 0 }\n' + layer("ReLU", "data", "out"), "'0' is no dimension"),
        ('layer { name: "d" type: "ImageData" top: "data" }', "layer d (ImageData) reads training data"),
        ('layers { name: "d" type: IMAGE_DATA top: "data" }', "layer d (IMAGE_DATA) reads training data"),
        ('layers { layer { name: "d" type: "conv" } top: "data" }', "first Caffe (V0)"),
        ("\0\1\2", "is a binary file, expected a .prototxt"),
    ],
)
def test_says_what_is_wrong_with_a_network(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ModelError) as error:
        graph(tmp_path, text)
    assert message in error.value.message
    assert str(tmp_path) in error.value.message


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such file"):
        read_graph(str(tmp_path / "absent.prototxt"))
