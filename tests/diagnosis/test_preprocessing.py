"""The doctor of preprocesses: every wrong step is named, alone and together with others."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ipudebug.diagnosis.input_files import take_input
from ipudebug.diagnosis.placement import resize
from ipudebug.diagnosis.preprocessing import InputDifference, compare_inputs, load_input
from ipudebug.errors import InputError
from tests.dump_files import record, write_dump_file

MEAN, STD = np.array([123.675, 116.28, 103.53]), np.array([58.4, 57.12, 57.375])
HEIGHT, WIDTH = 48, 64


def draw_photo(height: int = 150, width: int = 200) -> np.ndarray:
    """Return uint8 RGB with areas, edges and fine structure, no two colours alike."""
    rng = np.random.default_rng(11)
    photo = np.zeros((height, width, 3))
    for _ in range(60):
        top, left = rng.integers(height - 5), rng.integers(width - 5)
        photo[top : top + rng.integers(5, 60), left : left + rng.integers(5, 80)] += rng.uniform(-90, 90, 3)
    photo += rng.normal(0, 4, photo.shape)
    photo = (photo - photo.min()) / np.ptp(photo) * 255
    return photo.astype(np.uint8)


PHOTO = draw_photo()
PIXELS = np.asarray(Image.fromarray(PHOTO).resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR), np.float64)
RIGHT = ((PIXELS - MEAN) / STD)[None]


def letterbox(pixels: np.ndarray) -> np.ndarray:
    framed = np.full((HEIGHT, WIDTH, 3), 114.0)
    inner = Image.fromarray(PHOTO).resize((WIDTH, HEIGHT - 16), Image.Resampling.BILINEAR)
    framed[8:-8] = np.asarray(inner)
    return framed


def normalise(pixels: np.ndarray) -> np.ndarray:
    return ((pixels - MEAN) / STD)[None]


WRONG = {
    "swapped": (RIGHT[..., ::-1], ["channel-order"], "BGR"),
    "read as BGR": (normalise(PIXELS[..., ::-1]), ["channel-order", "normalisation"], "BGR"),
    "NCHW": (RIGHT.transpose(0, 3, 1, 2), ["layout"], "NCHW"),
    "norm flag": (PIXELS[None], ["normalisation"], "not normalised"),
    "twice": (normalise(RIGHT[0]), ["normalisation"], "twice"),
    "other mean and std": (((PIXELS - 127.5) / 127.5)[None], ["normalisation"], "mean or std"),
    "mirrored": (RIGHT[:, :, ::-1], ["placement"], "mirrored"),
    "moved": (np.roll(RIGHT, 1, 2), ["placement"], "+1 columns"),
    "letterbox": (normalise(letterbox(PIXELS)), ["letterbox"], "8 at the top"),
    "other kernel": (normalise(resize(PHOTO.astype(float), HEIGHT, WIDTH, "nearest")), ["resize-kernel"], "edges"),
    "pixels in BGR and NCHW": (
        PIXELS[None, ..., ::-1].transpose(0, 3, 1, 2),
        ["layout", "channel-order", "normalisation"],
        "not normalised",
    ),
}


def compare(sample: np.ndarray, benchmark: np.ndarray = RIGHT) -> InputDifference:
    return compare_inputs(take_input("sample", np.ascontiguousarray(sample)), take_input("benchmark", benchmark))


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_step_is_named(case: str) -> None:
    sample, kinds, words = WRONG[case]
    difference = compare(sample)
    assert [finding.kind for finding in difference.findings] == kinds, difference
    assert words in " ".join(finding.evidence for finding in difference.findings)
    assert not difference.is_clean


def test_equal_inputs_and_rounded_ones_agree() -> None:
    assert compare(RIGHT).is_clean
    rounded = np.rint(RIGHT / 0.018) * 0.018
    assert compare(rounded).is_clean
    assert not compare(RIGHT, RIGHT).findings


def test_another_picture_is_unknown() -> None:
    other = np.random.default_rng(3).normal(0, 1, RIGHT.shape)
    assert [finding.kind for finding in compare(other).findings] == ["unknown"]


def test_numbers_of_a_missing_normalisation_are_those_of_the_ini() -> None:
    (finding,) = compare(PIXELS[None]).findings
    np.testing.assert_allclose(finding.numbers["gains"], STD, rtol=1e-6)
    np.testing.assert_allclose(finding.numbers["offsets"], MEAN, rtol=1e-6)


@pytest.mark.parametrize("kernel", ["nearest", "bilinear", "bilinear without smoothing", "bicubic", "lanczos", "area"])
def test_what_was_done_to_an_image_is_told(kernel: str, tmp_path: Path) -> None:
    Image.fromarray(PHOTO).save(tmp_path / "photo.png")
    sample = normalise(resize(PHOTO.astype(float), HEIGHT, WIDTH, kernel))[..., ::-1]
    np.save(tmp_path / "input.npy", sample)
    difference = compare_inputs(load_input(str(tmp_path / "input.npy")), load_input(str(tmp_path / "photo.png")))
    assert difference.is_clean
    found = {finding.kind: finding for finding in difference.findings}
    assert found["resize-kernel"].numbers["kernel"] == kernel
    assert found["channel-order"].numbers["order"] == [2, 1, 0]
    np.testing.assert_allclose(found["normalisation"].numbers["gains"], 1 / STD[::-1], rtol=1e-3)


def test_a_board_input_of_four_channels_is_compared_over_three() -> None:
    packed = np.zeros(HEIGHT * WIDTH * 4)
    packed[: PIXELS.size] = PIXELS.ravel()
    four = np.concatenate([PIXELS, np.zeros((HEIGHT, WIDTH, 1))], axis=2)
    for board in (packed.reshape(1, HEIGHT, WIDTH, 4), four[None]):
        assert [finding.kind for finding in compare(board).findings] == ["normalisation"]


def test_a_tensor_of_a_dump_is_an_input(tmp_path: Path) -> None:
    dump = write_dump_file(
        tmp_path / "d.bin", record("image", RIGHT.astype(np.float32).ravel(), RIGHT.shape, role="in")
    )
    assert load_input(f"image@{dump}").array.shape == (HEIGHT, WIDTH, 3)
    with pytest.raises(InputError, match="no tensor 'other'"):
        load_input(f"other@{dump}")


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((2, 3, 4, 5)), "one image"),
        (np.array(["a"]), "expected numbers"),
        (np.full((4, 4, 3), np.nan), "NaN"),
        (np.zeros((0, 4, 3)), "one image"),
        (np.zeros((7, 7, 5)), "channels"),
    ],
)
def test_what_is_no_input_is_refused(array: np.ndarray, words: str) -> None:
    with pytest.raises(InputError, match=words):
        compare(array)


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"\x93NUMPY\x01\x00\x10\x00{'descr': 'O'}", b"no image at all"])
def test_damaged_files_are_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "input.npy"
    path.write_bytes(content)
    with pytest.raises(InputError):
        load_input(str(path))
    with pytest.raises(InputError):
        load_input(str(tmp_path / "missing.npy"))


KINDS = {"order": "channel-order", "norm": "normalisation", "layout": "layout", "kernel": "resize-kernel"}
KINDS["frame"] = "letterbox"
NORMS = {
    "mean and std": lambda pixels: (pixels - MEAN) / STD,
    "127.5": lambda pixels: (pixels - 127.5) / 127.5,
    "1/255": lambda pixels: pixels / 255,
    "none": lambda pixels: pixels,
    "twice": lambda pixels: ((pixels - MEAN) / STD - MEAN) / STD,
}
OPTIONS = {
    "order": ["BGR"],
    "norm": list(NORMS)[1:],
    "layout": ["NCHW"],
    "kernel": ["NEAREST", "BICUBIC", "BOX", "LANCZOS"],
    "frame": [114, 0],
}


def prepare(
    *, order: str = "RGB", norm: str = "mean and std", layout: str = "NHWC", kernel: str = "BILINEAR", frame: int = -1
) -> np.ndarray:
    """Return what a preprocess with these steps makes of the photo."""
    method = getattr(Image.Resampling, kernel)
    height = HEIGHT - 16 if frame >= 0 else HEIGHT
    pixels = np.asarray(Image.fromarray(PHOTO).resize((WIDTH, height), method), np.float64)
    if frame >= 0:
        pixels = np.pad(pixels, ((8, 8), (0, 0), (0, 0)), constant_values=frame)
    array = NORMS[norm](pixels[..., ::-1] if order == "BGR" else pixels)[None].astype(np.float32)
    return array.transpose(0, 3, 1, 2) if layout == "NCHW" else array


PAIRS = [
    {first: one, second: two}
    for first, second in itertools.combinations(OPTIONS, 2)
    for one in OPTIONS[first]
    for two in OPTIONS[second]
    if (first, second) != ("kernel", "frame")  # a second resizing behind a frame hides the first
]


@pytest.mark.parametrize("steps", PAIRS, ids=lambda steps: " ".join(map(str, steps.values())))
def test_two_wrong_steps_are_both_named_and_nothing_else(steps: dict[str, object]) -> None:
    found = {finding.kind for finding in compare(prepare(**steps), prepare()).findings}  # type: ignore[arg-type]
    wanted = {KINDS[step] for step in steps}
    also = {"normalisation"} if "order" in steps else set()  # mean and std are then those of other colours
    assert wanted <= found <= wanted | also
