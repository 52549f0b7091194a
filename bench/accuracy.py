"""What quantisation costs on trained models: final outputs, the worst layer, the best class, and every layer."""

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.data.ladder import Ladder
from bench.data.reference import ABSENT, find_reference
from bench.harness import BenchError, Context, Row, Table, leave_out

GROUP = "Accuracy of fixed models"
ROOT = Path(__file__).parents[1]
FLOAT = "against the float model"
LIMITS = {"ALL_UINT8": 0.99, "ALL_INT16": 0.9999}
TITLES = {"ALL_UINT8": "8 bits", "ALL_INT16": "ALL_INT16"}
UNCHANGED = 0.9
FLOAT_COS = 0.999999
SUMMARY = ("model", "activations", "images", "COS of the final outputs", "worst layer", "its COS", "top-1 unchanged")
LAYER = ("layer", "COS", "RMSE", "SQNR (dB)", "COS, ALL_INT16", "RMSE, ALL_INT16", "SQNR (dB), ALL_INT16")


@dataclass(frozen=True)
class Trained:
    """A trained model: its file in the reference's ``models`` (None: the demo's), and how it is fed.

    Attributes:
        classifies: whether its first output holds the scores of classes.
    """

    title: str
    file: str | None
    mean: float = 0.0
    std: float = 0.0
    classifies: bool = True


MODELS = (
    Trained("demo, digits", None),
    Trained("face detector RFB-320", "version-RFB-320_simplified.onnx", 127, 128, classifies=False),
    Trained("flowers, MobileNetV2 0.35", "mobilenet_v2_0.35_128_tfs_channel_first.onnx", 127.5, 127.5),
)


def rows(context: Context) -> Iterator[Row | Table]:
    """Yield the rows model by model, then one table of all of them and one of every model's layers."""
    summary: list[list[str]] = []
    tables: list[Table] = []
    for number, trained in enumerate(MODELS):
        reference = find_reference()
        if trained.file is not None and reference is None:
            for conv_format, limit in LIMITS.items():
                name = f"{trained.title}, {TITLES[conv_format]}"
                yield leave_out(name, FLOAT, ABSENT, at_least=limit, unit="COS")
            continue
        ladder = prepare(context, trained, context.work / str(number), reference)
        found = {}
        for conv_format in LIMITS:
            context.say(f"{trained.title}, {TITLES[conv_format]}")
            found[conv_format] = measure(context, ladder, ladder.calibrate_as(conv_format))
            yield from judge_model(trained, conv_format, found[conv_format])
            summary.append(summarise(trained, conv_format, found[conv_format]))
        tables.append(list_layers(trained, *found.values()))
        context.remove(ladder.folder)
    yield Table("What 8 and 16 bits cost", SUMMARY, summary)
    yield from tables


def prepare(context: Context, trained: Trained, folder: Path, reference: Path | None) -> Ladder:
    """Return a model with its configuration and images, converted to float."""
    folder.mkdir()
    if trained.file is None or reference is None:
        demo = ROOT / "ipudebug" / "demo"
        ladder = Ladder(context, folder, trained.title, demo / "images")
        for file in (ladder.model, ladder.preprocess, ladder.ini):
            shutil.copy(demo / file.name, file)
    else:
        ladder = Ladder(context, folder, trained.title, reference / "images")
        shutil.copy(reference / "models" / trained.file, ladder.model)
        scaling = ["--mean", str(trained.mean), "--std", str(trained.std)]
        context.run_module("bench.data.surroundings", ladder.model, folder, *scaling)
    if context.quick:
        ladder = Ladder(context, folder, trained.title, ladder.pick_images(2))
    ladder.convert()
    return ladder


def measure(context: Context, ladder: Ladder, fixed: Path) -> dict[str, Any]:
    """Return what ``bench.data.layer_accuracy`` finds; raises BenchError if the float model is not the original."""
    files = [ladder.floating, fixed, ladder.preprocess, ladder.images, ladder.model]
    found: dict[str, Any] = json.loads(context.run_module("bench.data.layer_accuracy", *files).stdout)
    if not found["original"] >= FLOAT_COS:
        raise BenchError(f"{ladder.title}: float against the original COS {found['original']}, expected {FLOAT_COS}")
    return found


def judge_model(trained: Trained, conv_format: str, found: dict[str, Any]) -> Iterator[Row]:
    """Yield a row for every final output, and one for the best class."""
    name = f"{trained.title}, {TITLES[conv_format]}"
    limit = LIMITS[conv_format]
    note = f"over {found['images']} images"
    for output, cosine in found["outputs"].items():
        yield Row(f"{name}, output {output}", f"COS >= {limit:g} {FLOAT}", f"{cosine:.6f}", cosine >= limit, note)
    if trained.classifies:
        share = found["unchanged"]
        aim = f"unchanged on >= {UNCHANGED:.0%} of the images"
        yield Row(f"{name}, top-1", aim, f"{share:.1%}", share >= UNCHANGED, note)


def summarise(trained: Trained, conv_format: str, found: dict[str, Any]) -> list[str]:
    """Return a model's line of the summary."""
    worst = min(found["layers"], key=lambda layer: layer[1])
    outputs = ", ".join(f"{name} {cosine:.6f}" for name, cosine in found["outputs"].items())
    share = f"{found['unchanged']:.1%}" if trained.classifies else "no classes"
    return [trained.title, TITLES[conv_format], str(found["images"]), outputs, worst[0], f"{worst[1]:.6f}", share]


def list_layers(trained: Trained, bits8: dict[str, Any], bits16: dict[str, Any]) -> Table:
    """Return every layer of a model, at 8 bits and with ALL_INT16."""
    others = {name: numbers for name, *numbers in bits16["layers"]}
    lines = [[name, *format_numbers(numbers), *format_numbers(others.get(name))] for name, *numbers in bits8["layers"]]
    note = f"Sums over the values of {bits8['images']} images; fused layers show as the last of them."
    if bits8["apart"]:
        note += f" Only the fixed model has: {', '.join(bits8['apart'])}."
    return Table(f"{trained.title}: every layer", LAYER, lines, note)


def format_numbers(numbers: Sequence[float] | None) -> list[str]:
    """Return COS, RMSE and SQNR as text; dashes for a layer that the model does not show."""
    if numbers is None:
        return ["-"] * 3
    cosine, error, decibels = numbers
    return [f"{cosine:.6f}", f"{error:.6f}", f"{decibels:.1f}"]
