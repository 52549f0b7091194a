from __future__ import annotations

import pytest

from ipudebug.catalogue import Guesser, find_known, load_entries

PARAPHRASES = {
    "Loop in the graph is not suported": "004",
    "Please export your ONNX model with an opset version <= 20": "006",
    "ONNX Pad axes should not be an input": "007",
    "ONNX MVN input must have four dimensions": "008",
    "EXPAND shape input supports only constant tensors": "009",
    "RNN supports only empty sequence_lens tensors": "010",
    "ONNX RNN doesnt support clipping": "011",
    "ONNX Pad supports constant and reflect modes only": "016",
    "ONNX MOD supports only fmod = 0": "017",
    "ONNX LSTM layout can only be 0": "022",
    "LSTM input_forget only suports zero": "023",
    "LayerNormalization does not support stash_type 0": "026",
    "GRU only supports forward or bidirectional": "030",
    "ONNX Upsample only resizes height and width": "035",
    "TOPK only supports the top-K smallest elements along specified axis": "037",
    "ONNX Sum only takes 2 inputs": "038",
    "Split_V output number exceeds limits": "039",
    "ScatterElements has unsupported reduction type": "042",
    "resize doesn't support the keep_aspect_ratio policy": "045",
    "resize antialias supports only 0": "048",
    "DYNSHAPESYM sub lacking shape information, check DYNAMIC_CONFIG": "051",
    "DepthToSpace channels must be divisible by blocksize^2": "054",
    "ConvTranspose does not support the output_shape attribute": "058",
    "Conv3d stride W and H cannot be larger than 31": "059",
    "BatchNormalization doesnt support training mode not 0": "062",
    "AveragePool does not suport padding larger than 255": "066",
    "ARGMAX select_last_index must be 0": "069",
    "Input graph file model.onnx doesn't exist": "072",
    "No image found in folder": "079",
    "Cannot set tensor: Dimensions mismatch, got 160 but 640 was expected for dimension 1 of input 0": "108",
}


def guess(text: str) -> list[str]:
    guesser = Guesser(load_entries())
    lines = list(guesser.listen(text.splitlines(keepends=True)))
    assert find_known(lines, load_entries()) == []
    return [entry.key for entry, _ in guesser.guess()]


def test_there_are_thirty_paraphrases() -> None:
    assert len(PARAPHRASES) == 30


@pytest.mark.parametrize("text", PARAPHRASES)
def test_the_right_row_is_among_the_first_three_guesses(text: str) -> None:
    assert PARAPHRASES[text] in guess(text)


def test_a_message_in_a_long_log_is_guessed_too() -> None:
    log = "all fine\n" * 500 + "Exception: ONNX RESIZE unsupported nonzero 'exclude_outside'\n" + "cleaning up\n" * 500
    assert guess(log)[0] == "046"


@pytest.mark.parametrize("text", ["", "\n\n", "the weather is nice today", "0 1 2 3"])
def test_what_resembles_nothing_is_not_guessed(text: str) -> None:
    assert guess(text) == []


def test_likeness_is_a_share_and_sorted() -> None:
    guesser = Guesser(load_entries())
    list(guesser.listen(["resize does not suport keep_aspect_ratio_policy\n"]))
    shares = [share for _, share in guesser.guess(5)]
    assert shares == sorted(shares, reverse=True)
    assert 0.85 < shares[0] < 1
