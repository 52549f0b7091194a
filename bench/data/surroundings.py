"""Make what a model needs on its way to the board: preprocess.py, input_config.ini and, if asked for, pictures.

    python -m bench.data.surroundings MODEL.onnx FOLDER [--mean M] [--std S] [--pictures N]

Size and names are read from the model: one NCHW image of three channels goes in. The pictures, of coarse random
colours, are FOLDER/pictures/00.png and so on.
"""

import argparse
from pathlib import Path

import numpy as np
import onnx
from PIL import Image

PREPROCESS = """import numpy as np
from PIL import Image


def image_preprocess(image_path, norm=True):
    with Image.open(image_path) as image:
        pixels = np.asarray(image.convert("RGB").resize(({width}, {height}), Image.Resampling.BILINEAR))[None]
    return ((pixels - np.float32({mean})) / np.float32({std})).astype(np.float32) if norm else pixels
"""
INI = """[INPUT_CONFIG]
inputs = {inputs};
training_input_formats = RGB;
input_formats = RGB;
mean = {mean}:{mean}:{mean};
std_value = {std};
[OUTPUT_CONFIG]
outputs = {outputs};
[CONV_CONFIG]
input_format = ALL_UINT8;
"""


def write_configs(model: Path, folder: Path, mean: float, std: float) -> None:
    """Write preprocess.py and input_config.ini for a model."""
    graph = onnx.load(model, load_external_data=False).graph
    weights = {tensor.name for tensor in graph.initializer}
    (image,) = (value for value in graph.input if value.name not in weights)
    height, width = (dim.dim_value for dim in image.type.tensor_type.shape.dim[2:])
    preprocess = PREPROCESS.format(width=width, height=height, mean=mean, std=std)
    (folder / "preprocess.py").write_text(preprocess, "utf-8")
    outputs = ",".join(output.name for output in graph.output)
    ini = INI.format(inputs=image.name, outputs=outputs, mean=mean, std=std)
    (folder / "input_config.ini").write_text(ini, "utf-8")


def draw_pictures(folder: Path, count: int) -> None:
    """Write that many pictures of 640x480."""
    folder.mkdir()
    rng = np.random.default_rng(3)
    for number in range(count):
        coarse = Image.fromarray(rng.integers(0, 256, (12, 16, 3), np.uint8))
        coarse.resize((640, 480), Image.Resampling.BICUBIC).save(folder / f"{number:02d}.png")


def main() -> None:
    """Write what the command line says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--mean", type=float, default=127.5)
    parser.add_argument("--std", type=float, default=127.5)
    parser.add_argument("--pictures", type=int, default=0)
    options = parser.parse_args()
    write_configs(options.model, options.folder, options.mean, options.std)
    if options.pictures:
        draw_pictures(options.folder / "pictures", options.pictures)


if __name__ == "__main__":
    main()
