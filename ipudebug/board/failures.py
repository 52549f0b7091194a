"""What goes wrong between here and a board: one class for each thing that a user does something else about."""

from __future__ import annotations

from ipudebug.board.protocol import split_failure
from ipudebug.errors import BoardError


class CannotConnect(BoardError, ConnectionError):
    """Nobody listens there, or nobody who speaks this protocol."""


class Dropped(BoardError, ConnectionError):
    """The connection ended in the middle."""


class TimedOut(BoardError, TimeoutError):
    """The board did not answer in time."""


class Denied(BoardError):
    """The board wants another token."""


class BoardBusy(BoardError):
    """The board has as many clients or models as it can."""


class WrongBoardChip(BoardError, RuntimeError):
    """The model was compiled for another chip."""


class WrongModel(BoardError):
    """The model on the board is not the one on the PC."""


class NotOnBoard(BoardError):
    """There is no such model on the board."""


class BadAnswer(BoardError):
    """The board answers what the protocol does not have."""


class BoardFailed(BoardError):
    """The board could not load or run the model."""


_KINDS: dict[str, tuple[type[BoardError], str]] = {
    "bad_request": (BadAnswer, "update the older of the two sides; docs/board-protocol.md says what each call takes"),
    "denied": (Denied, "give the token that the server was started with: --token"),
    "version": (BadAnswer, "update the older of the two sides"),
    "busy": (BoardBusy, "try again later, or let the server have more: ipudebug serve --help"),
    "too_large": (BoardFailed, "let the server have more, or put the model on the board: --model_onboard_path"),
    "no_model": (NotOnBoard, "check --model_onboard_path: it is looked for below the server's --model-dir"),
    "bad_model": (BoardFailed, "compile the fixed model again: ipudebug compile"),
    "wrong_model": (WrongModel, "copy the model of -m to the board, or leave --model_onboard_path out to send it"),
    "wrong_chip": (WrongBoardChip, "compile the model for the chip of that board: ipudebug compile --soc_version CHIP"),
    "timeout": (TimedOut, "the model is too slow for the server's limits, or the board is overloaded: try again"),
    "failed": (BoardFailed, "run the model locally, without --host, to see whether it fails there too"),
}


def read_failure(where: str, text: str) -> BoardError:
    """Return the error for a call that failed with ``text``; ``where`` names the board."""
    code, words = split_failure(text)
    kind, hint = _KINDS.get(code, (BoardError, "look at the log of the server"))
    if kind is WrongBoardChip:
        return kind(f"{words} ({where})", hint)
    return kind(f"{where}: {words}", hint)
