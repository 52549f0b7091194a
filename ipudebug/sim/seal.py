"""compile: a fixed model behind a sealed header, as one file for the board (docs/offline-format.md).

The header repeats what is known of inputs and outputs, as the vendor's does, so that a file whose parts do not belong
together is found. On load every field is derived again from the model in the file and compared; two digests cover the
rest, so that no byte can change without being named.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ipudebug.errors import ConfigError, InputError, ModelError, UnsupportedOp
from ipudebug.files import OpenFile, replace_file
from ipudebug.sim.chips import load_chips
from ipudebug.sim.container import Kind, NotRecognised, SimFile, open_sim
from ipudebug.sim.model import SimModel, Stage
from ipudebug.sim.parsing import parse_model
from ipudebug.sim.read import build_sim
from ipudebug.sim.seal_check import AGAIN, check_concatenations, check_header, describe_seal, fault
from ipudebug.sim.seal_header import (
    BATCH_MODES,
    FIXED_SIZE,
    MAGIC,
    MOST_BATCHES,
    VERSION,
    SealHeader,
    decode_header,
    decode_preamble,
    digest_header,
)
from ipudebug.sim.soc_version import check_soc_version
from ipudebug.sim.stage import PREFIX

if TYPE_CHECKING:
    from onnx import ModelProto

SUFFIX = ".sim_sgsimg.img"
LARGEST = 2_000_000_000
"""Bytes of the model in a file; a protocol-buffer message ends at 2 GiB."""
LARGEST_BATCH = 1 << 16
CHIP, BATCH_MODE, BATCHES = (f"{PREFIX}{key}" for key in ("chip", "batch_mode", "batches"))
"""Keys in the metadata of a compiled model: what it was compiled for."""


class WrongChip(ModelError, RuntimeError):
    """The model was compiled for another chip."""


def name_output(path: str) -> str:
    """Return where the offline model goes unless the user says otherwise: ``net_fixed.sim`` -> beside it."""
    return path.removesuffix(".sim") + SUFFIX


def parse_batches(text: str, mode: str) -> tuple[int, ...]:
    """Return the batch sizes of ``-b``; raises ConfigError or InputError with the vendor's message for n_buf."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and 0 < int(part) <= LARGEST_BATCH for part in parts):
        raise InputError(
            f"-b: expected sizes from 1 to {LARGEST_BATCH}, ',' between them, found {text!r}", "such as -b 4"
        )
    batches = tuple(map(int, parts))
    if mode == "n_buf" and len(batches) != 1:
        message = f"n_buf batch_mode must be specific one max batch size. -b: expected one size, found {text}"
        raise ConfigError(message, "give one size, or --batch_mode one_buf")
    if len(batches) > MOST_BATCHES:
        raise InputError(f"-b: expected at most {MOST_BATCHES} sizes, found {len(batches)}", "leave out some")
    return batches


def seal_model(
    path: str, output: str, soc_version: str | None = None, *, batch_mode: str = "n_buf", batches: Sequence[int] = (1,)
) -> SimModel:
    """Write the offline model of the fixed one at ``path`` to ``output``, and return it.

    Args:
        path: a fixed model of ipudebug's.
        output: the file to write; it appears complete or not at all.
        soc_version: the chip; the one that the fixed model was made for unless given.
        batch_mode: ``n_buf`` or ``one_buf``.
        batches: images that the board runs at once; they make the buffers larger and do not change any result.

    Raises NoModel, NotRecognised, UnknownChip, WrongChip, or ModelError for a model that cannot run.
    """
    file = open_sim(path, Stage.FIXED)
    if file.kind is not Kind.IPUDEBUG:
        message = f"Not recognized model. {path}: expected a fixed model of ipudebug's, found {file.what}"
        raise NotRecognised(message, "compile it with the vendor's compiler.py; simulate runs it as it is")
    proto = parse_model(path)
    _mark(proto, _choose_chip(path, file, soc_version), batch_mode, batches)
    if proto.ByteSize() > LARGEST:
        raise UnsupportedOp(f"{path}: {proto.ByteSize():,} bytes, an offline model has at most {LARGEST:,}")
    data = proto.SerializeToString()
    model = build_sim(proto, output)
    check_concatenations(model, path)
    header = _describe(model, data)
    with replace_file(output) as target:
        target.write(header.encode())
        target.write(data)
    return dataclasses.replace(model, stage=Stage.OFFLINE)


def open_sealed(path: str) -> SimModel:
    """Return the offline model in a sealed file; raises DamagedSeal for the first thing that is not in order."""
    head, body = _split(path, _read_file(path))
    model = build_sim(_parse(body), path)
    expected = _describe(model, body)
    first = decode_preamble(head)
    wanted = len(expected.inputs), len(expected.outputs)
    if (first.inputs, first.outputs) != wanted:
        found = f"expected {wanted[0]} inputs and {wanted[1]} outputs, found {first.inputs} and {first.outputs}"
        raise fault("Image Header Number of inputs and outputs check failed", path, found)
    try:
        stated = decode_header(head)
    except ValueError as reason:
        raise fault("Image Header Name check failed", path, str(reason)) from None
    check_header(stated, expected, path)
    check_concatenations(model, path)
    if first.digest != digest_header(head):
        raise fault("Image Header Digest check failed", path, "a byte that belongs to no field was changed")
    return dataclasses.replace(model, stage=Stage.OFFLINE)


def _describe(model: SimModel, data: bytes) -> SealHeader:
    """Return the header that belongs to a model and its bytes; what it was compiled for stands in its metadata."""
    marks = {entry.key: entry.value for entry in model.graph.metadata_props}
    batches = tuple(int(size) for size in marks[BATCHES].split(","))
    mode = BATCH_MODES.index(marks[BATCH_MODE])
    return describe_seal(model, marks[CHIP], mode, batches, len(data), hashlib.sha256(data).digest())


def _mark(proto: ModelProto, chip: str, batch_mode: str, batches: Sequence[int]) -> None:
    """Write what a model is compiled for into its metadata."""
    marks = {CHIP: chip, BATCH_MODE: batch_mode, BATCHES: ",".join(map(str, batches))}
    kept = [(entry.key, entry.value) for entry in proto.metadata_props if entry.key not in marks]
    del proto.metadata_props[:]
    for key, value in (*kept, *marks.items()):
        proto.metadata_props.add(key=key, value=value)


def _choose_chip(path: str, file: SimFile, soc_version: str | None) -> str:
    """Return the chip to compile for; raises UnknownChip or WrongChip."""
    made_for = file.facts.chip if file.facts else ""
    if soc_version is None and not made_for:
        raise InputError(f"{path} names no chip: expected --soc_version", f"known: {', '.join(load_chips().names)}")
    chip = check_soc_version(soc_version or made_for)
    if made_for and made_for != chip:
        message = f"{path}: expected a fixed model for {chip}, found one for {made_for}"
        raise WrongChip(message, f"convert and calibrate with --soc_version {chip}, or compile for {made_for}")
    return chip


def _read_file(path: str) -> bytes:
    """Return a file's bytes."""
    file = OpenFile(path, "the model", ModelError)
    data = bytearray(file.size)
    if data:
        try:
            file.read_into(memoryview(data), 0)
        except EOFError as reason:
            raise ModelError(str(reason), "do not write to the model while it is read") from None
    return bytes(data)


def _split(path: str, data: bytes) -> tuple[bytes, bytes]:
    """Return header and model of a file whose sizes and model are in order; raises DamagedSeal."""
    if data[: len(MAGIC)] != MAGIC:
        raise NotRecognised(f"Not recognized model. {path}: expected an offline model of ipudebug's", AGAIN)
    if len(data) < FIXED_SIZE:
        found = f"expected at least {FIXED_SIZE} bytes, the file has {len(data)}"
        raise fault("Image Header Header Size check failed", path, found)
    first = decode_preamble(data)
    if first.version != VERSION:
        raise fault("Image Header Version check failed", path, f"expected {VERSION}, found {first.version}")
    # The digest tells which of the two sizes is wrong, if it is only one of them.
    for start, words in (
        (first.header_size, "BufferSize Check Failed!"),
        (max(len(data) - first.buffer_size, 0), "Header Size check failed"),
    ):
        if hashlib.sha256(data[start:]).digest() == first.model_digest:
            if first.header_size + first.buffer_size == len(data) and start >= FIXED_SIZE:
                return data[:start], data[start:]
            stated = f"a header of {first.header_size} bytes and a model of {first.buffer_size}"
            raise fault(f"Image Header {words}", path, f"expected {stated}, the file has {len(data)}")
    if first.header_size + first.buffer_size != len(data):
        stated = (
            f"{first.header_size + first.buffer_size} bytes ({first.header_size} header, {first.buffer_size} model)"
        )
        raise fault("Image Header BufferSize Check Failed!", path, f"expected {stated}, the file has {len(data)}")
    found = f"expected SHA-256 {first.model_digest.hex()[:16]}..., found another: the model was changed"
    raise fault("Image Header Model Digest check failed", path, found)


def _parse(body: bytes) -> ModelProto:
    """Return the model in a file, whose bytes are known to be those that were written."""
    from onnx import ModelProto

    model: ModelProto = ModelProto.FromString(body)
    return model


def check_chip(model: SimModel, soc_version: str) -> None:
    """Raise WrongChip unless a model was compiled for the chip that it is to run on."""
    if model.chip and model.chip != soc_version:
        message = "MI_IPU_CreateCHNWithUserMem failed: 54"
        found = f"{model.path}: expected a model for {soc_version}, found one for {model.chip}"
        raise WrongChip(f"{message}. {found}", f"compile it with --soc_version {soc_version}")
