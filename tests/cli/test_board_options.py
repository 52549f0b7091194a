"""What is said of a board at the end of a run, literally, and which options belong together."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import click
import pytest

from ipudebug.board.agreement import Cause, Difference
from ipudebug.board.remote import Agreement
from ipudebug.cli.app import EXIT_TROUBLE
from ipudebug.cli.board_options import (
    CAUSES,
    BoardOptions,
    describe_agreement,
    describe_difference,
    describe_latency,
    show_remote,
)
from tests.command import run_command


def test_latency_is_shown_as_three_numbers() -> None:
    assert list(describe_latency([])) == []
    assert list(describe_latency([0.004])) == ["board: 4.0 / 4.0 / 4.0 ms an image (min / median / p95)"]
    hundred = [number / 1000 for number in range(100, 0, -1)]
    assert list(describe_latency(hundred)) == ["board: 1.0 / 50.5 / 96.0 ms an image (min / median / p95)"]


def make_remote(agreement: Agreement) -> Any:
    return SimpleNamespace(agreement=agreement, seconds=[])


def test_agreement_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    agreement = Agreement()
    assert show_remote(make_remote(agreement), [])
    assert capsys.readouterr().out == ""
    agreement.add([])
    assert show_remote(make_remote(agreement), ["a.png"])
    assert capsys.readouterr().out == "board and PC are bit-equal on 1 image\n"
    agreement.add([Difference("y", Cause.ROUNDING, 1200, 4000, 1.0, (0, 1, 2, 3))])
    agreement.add([Difference("y", Cause.VALUES, 5, 4000, 7.0, (0, 0, 0, 0))])
    agreement.add([Difference("y", Cause.ROUNDING, 9, 4000, 1.0, (0, 0, 0, 0))])
    assert not show_remote(make_remote(agreement), ["a.png", "b.png", "c.png", "d.png"])
    assert capsys.readouterr().out == (
        "board and PC differ on 3 of 4 images\n"
        "  y (c.png): 5 of 4,000 values, the first at [0, 0, 0, 0], up to 7 steps: no simple cause explains them: "
        "compare the inputs first, then dump the fixed model layer by layer\n"
    )


def test_another_dequantisation_is_no_agreement(capsys: pytest.CaptureFixture[str]) -> None:
    agreement = Agreement(facts=[("y", "scale", "0.1", "0.25")])
    agreement.add([])
    assert not show_remote(make_remote(agreement), ["a.png"])
    assert next(describe_agreement(make_remote(agreement), ["a.png"])) == (
        "y: the board dequantises with scale 0.25, the model has 0.1"
    )


def test_every_cause_has_words() -> None:
    assert set(CAUSES) == {cause.value for cause in Cause}
    swapped = Difference("y", Cause.CHANNELS, 2, 4, 9.0, (0,), (1, 0, *range(2, 20)))
    assert describe_difference(swapped, "a.png").endswith(
        "the channels are in another order: 1, 0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, ..."
    )


@pytest.mark.parametrize(
    "given", [{"host": "h"}, {"port": 5}, {"against_pc": True}, {"onboard_path": "a.img"}, {"onboard_path": ""}]
)
def test_options_that_need_others(given: dict[str, Any]) -> None:
    with pytest.raises(click.UsageError, match="--host and --port"):
        BoardOptions(**given).check()


def test_options_that_are_whole() -> None:
    BoardOptions().check()
    assert not BoardOptions().is_remote
    whole = BoardOptions("h", 5, against_pc=True, onboard_path="a.img")
    whole.check()
    assert whole.is_remote


def test_without_msgpack_it_says_what_to_install(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "msgpack", None)
    done = run_command(capfd, "serve", "-p", "0")
    assert (done.code, done.stdout) == (EXIT_TROUBLE, "")
    assert done.stderr == (
        "error: the package msgpack is not installed, the board is spoken to in it\n"
        "hint: install it: pip install 'ipudebug[board]'\n"
    )
