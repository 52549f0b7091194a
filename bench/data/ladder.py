"""A model on its way to the board, as files in one folder, and the commands that take it there."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from bench.harness import Context, Run

CHIP = "souffle"


@dataclass(frozen=True)
class Ladder:
    """A folder with ``model.onnx``, ``preprocess.py``, ``input_config.ini`` and what the commands make of them.

    Attributes:
        title: what the rows call it.
        images: what it is calibrated on, and run on.
    """

    context: Context
    folder: Path
    title: str
    images: Path

    @property
    def model(self) -> Path:
        """The original."""
        return self.folder / "model.onnx"

    @property
    def preprocess(self) -> Path:
        """The preprocess file."""
        return self.folder / "preprocess.py"

    @property
    def ini(self) -> Path:
        """The input_config.ini."""
        return self.folder / "input_config.ini"

    @property
    def floating(self) -> Path:
        """What ``convert`` writes."""
        return self.folder / "model_float.sim"

    @property
    def fixed(self) -> Path:
        """What ``calibrate`` writes unless another name is given."""
        return self.folder / "model_fixed.sim"

    def convert(self) -> Run:
        """Make the float model."""
        files = ["--model_file", self.model, "--input_config", self.ini, "--output_file", self.floating]
        return self._run("convert", *files, "--soc_version", CHIP)

    def calibrate(self, *options: str | Path, images: Path | None = None, whole_tree: bool = False) -> Run:
        """Make the fixed model; further options as on the command line."""
        files = ["-m", self.floating, "-i", images or self.images, "--input_config", self.ini, "-n", self.preprocess]
        return self._run("calibrate", *files, *options, whole_tree=whole_tree)

    def calibrate_as(self, conv_format: str) -> Path:
        """Return a new fixed model whose convolutions have another format, such as ALL_INT16."""
        text = self.ini.read_text("utf-8")
        ini, fixed = self.folder / f"{conv_format}.ini", self.folder / f"{conv_format}_fixed.sim"
        ini.write_text(text.replace("ALL_UINT8", conv_format), "utf-8")
        files = ["-m", self.floating, "-i", self.images, "--input_config", ini, "-n", self.preprocess]
        self._run("calibrate", *files, "-o", fixed)
        return fixed

    def pick_images(self, count: int) -> Path:
        """Return a folder with the first ``count`` of the images."""
        picked = self.folder / f"first_{count}"
        picked.mkdir(exist_ok=True)
        for image in sorted(self.images.iterdir())[:count]:
            shutil.copy(image, picked)
        return picked

    def _run(self, command: str, *arguments: str | Path, whole_tree: bool = False) -> Run:
        """Run one command of ipudebug in the folder."""
        return self.context.run([self.context.ipudebug, command, *arguments], cwd=self.folder, whole_tree=whole_tree)


def make_net(context: Context, kind: str, size: int, pictures: int) -> Ladder:
    """Return a net of ``bench.data.nets`` with drawn pictures, converted to float; not yet calibrated."""
    title = f"{TITLES[kind]} at {size}"
    context.say(f"making {title}")
    folder = context.work / f"{kind}_{size}"
    folder.mkdir()
    ladder = Ladder(context, folder, title, folder / "pictures")
    width = context.choose((), ("--width", "8"))
    context.run_module("bench.data.nets", ladder.model, kind, str(size), *width)
    context.run_module("bench.data.surroundings", ladder.model, folder, "--pictures", str(pictures))
    ladder.convert()
    return ladder


TITLES = {"mobilenet": "MobileNetV2-like", "resnet": "ResNet50-like", "unet": "UNet"}
