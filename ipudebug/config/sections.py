"""The sections of input_config.ini -> the fields of InputConfig: keys, defaults, and the rules between keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ipudebug.config.ini import Entry, Ini
from ipudebug.config.input_formats import INPUT_FORMATS, TRAINING_FORMATS
from ipudebug.config.normalisation import read_normalisation
from ipudebug.config.values import (
    TEMPLATE,
    check_count,
    read_choices,
    read_names,
    read_positive_integers,
    read_switches,
)
from ipudebug.tensor import Layout

ALIGNMENTS = ("input_width_alignment", "input_height_alignment")
LEGACY_ALIGNMENTS = {"yuv420_h_pitch_alignment": 2, "yuv420_v_pitch_alignment": 2, "xrgb_h_pitch_alignment": 4}
"""The older family of alignment keys -> what their value must be a multiple of."""
KEEP_ONE = "remove the older keys"
CONV_FORMATS = ("ALL_UINT8", "ALL_INT16", "CONV2D_INT16", "DEPTHWISE_INT16")

Section = Mapping[str, Entry]
"""Key -> entry, only of keys that have a value."""


def read_inputs(section: Section, ini: Ini) -> dict[str, Any]:
    """Return the fields of [INPUT_CONFIG]; remarks go to ``ini.notes``. Raises ConfigError."""
    if not section:
        ini.notes.append(f"{ini.path}: [INPUT_CONFIG] is missing or empty; every input is treated by default")
        return {}
    if "inputs" not in section:
        raise next(iter(section.values())).fault(
            "inputs is missing.", "inputs = names of the model's inputs, as well", hint=TEMPLATE
        )
    inputs = read_names(section["inputs"])
    for key in ("training_input_formats", "input_formats", "quantizations"):
        if key in section:
            check_count(section[key], inputs, "input arrays number != input values number.", "input")
    training, board = _read_formats(section, inputs, ini)
    layouts = _read_layouts(section.get("input_layouts"), inputs, "input")
    for name, layout, board_format in zip(inputs, layouts, board, strict=False):
        if layout is Layout.NCHW and board_format in ("RGBA", "BGRA"):
            hint = "let the preprocess file return NHWC, or feed the board with another format"
            raise section["input_layouts"].fault(f"{board_format} input {name}:", "NHWC", "NCHW", hint)
    mean, std = read_normalisation(section, inputs, training, ini)
    return {
        "inputs": inputs,
        "training_input_formats": training,
        "input_formats": board,
        "quantizations": _read_switches(section.get("quantizations"), inputs, "input quantizations"),
        "mean": mean,
        "std_value": std,
        "input_layouts": layouts,
        **_read_alignments(section, inputs, board),
    }


def read_outputs(section: Section) -> dict[str, Any]:
    """Return the fields of [OUTPUT_CONFIG]; raises ConfigError."""
    if not section:
        return {}
    if "outputs" not in section:
        raise next(iter(section.values())).fault(
            "outputs is missing.", "outputs = names of the model's outputs, as well", hint=TEMPLATE
        )
    outputs = read_names(section["outputs"])
    if "dequantizations" in section:
        message = "output arrays number != output dequant number."
        check_count(section["dequantizations"], outputs, message, "output")
    return {
        "outputs": outputs,
        "dequantizations": _read_switches(section.get("dequantizations"), outputs, "output dequantizations"),
        "output_layouts": _read_layouts(section.get("output_layouts"), outputs, "output"),
    }


def read_convolutions(section: Section) -> dict[str, Any]:
    """Return the fields of [CONV_CONFIG]; raises ConfigError."""
    fields: dict[str, Any] = {}
    if "tensor_arrays" in section:
        fields["conv_tensors"] = read_names(section["tensor_arrays"])
    if "input_format" in section:
        entry = section["input_format"]
        message = (
            "CONV_CONFIG:input_format is invalid!!only support ALL_UINT8,ALL_INT16,CONV2D_INT16,DEPTHWISE_INT16!!!"
        )
        if len(read_choices(entry, CONV_FORMATS, message)) > 1:
            raise entry.fault(message, "one format", hint="tensor_arrays chooses the tensors that it holds for")
        fields["conv_format"] = entry.items[0]
    return fields


def _read_formats(section: Section, inputs: Sequence[str], ini: Ini) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return training formats and board formats, one per input; both empty when neither is stated."""
    trained, fed = section.get("training_input_formats"), section.get("input_formats")
    if not trained or not fed:
        only = trained or fed
        if only:
            ini.notes.append(f"{only.place}: stated alone; training and board formats are taken to be equal")
        trained, fed = only, only
    if not trained or not fed:
        return (), ()
    message = "`input_formats` only support " + "/".join(INPUT_FORMATS) + " !"
    board = read_choices(fed, tuple(INPUT_FORMATS), message)
    message = "`training_input_formats` only support " + "/".join(TRAINING_FORMATS) + " !"
    training = read_choices(trained, TRAINING_FORMATS, message)
    for name, from_, to in zip(inputs, training, board, strict=True):
        sources = "/".join(INPUT_FORMATS[to])
        if from_ not in INPUT_FORMATS[to]:
            message = f"`input_formats` is {to} only support `training_input_formats` is {sources}!"
            fitting = "/".join(board for board, trainings in INPUT_FORMATS.items() if from_ in trainings)
            hint = f"state what the model was trained with, or one of {fitting} in input_formats"
            raise trained.fault(message, f"{sources} for input {name}", from_, hint)
    return training, board


def _read_layouts(entry: Entry | None, owners: Sequence[str], what: str) -> tuple[Layout, ...]:
    """Return one layout per input or output, NHWC unless stated."""
    if entry is None:
        return (Layout.NHWC,) * len(owners)
    check_count(entry, owners, f"{what} layout number != {what} number.", what)
    message = f"{what} layout unsupported: {{}}, only support `NHWC` or `NCHW`."
    return tuple(Layout(item) for item in read_choices(entry, ("NHWC", "NCHW"), message))


def _read_switches(entry: Entry | None, owners: Sequence[str], what: str) -> tuple[bool, ...]:
    """Return one boolean per input or output, True unless stated."""
    return (True,) * len(owners) if entry is None else read_switches(entry, what)


def _read_alignments(section: Section, inputs: Sequence[str], board: Sequence[str]) -> dict[str, Any]:
    """Return the fields about alignment: one number per input; a single number in the file holds for all inputs."""
    legacy = {key: section[key] for key in LEGACY_ALIGNMENTS if key in section}
    fields: dict[str, Any] = {"legacy_alignments": {}}
    for key, entry in legacy.items():
        values = read_positive_integers(entry, LEGACY_ALIGNMENTS[key])
        if len(values) > 1:
            hint = f"{ALIGNMENTS[0]} and {ALIGNMENTS[1]} take one for each input"
            raise entry.fault("one alignment for all inputs.", "one number", hint=hint)
        fields["legacy_alignments"][key] = values[0]
    least = [2 if board_format == "YUV_NV12" else 1 for board_format in board or [""] * len(inputs)]
    for key in ALIGNMENTS:
        stated = section.get(key)
        if stated is None:
            fields[key] = tuple(least)
            continue
        if legacy:
            raise stated.fault(
                "two families of alignment keys.", f"either this one or {', '.join(legacy)}", key, KEEP_ONE
            )
        values = read_positive_integers(stated)
        if len(values) == 1:
            values *= len(inputs)
        else:
            check_count(stated, inputs, "input arrays number != input values number.", "input")
        for name, value, factor in zip(inputs, values, least, strict=True):
            if value % factor:
                hint = "two rows and columns of YUV_NV12 share their colour"
                raise stated.fault(f"YUV_NV12 input {name}:", "a multiple of 2", str(value), hint)
        fields[key] = values
    return fields
