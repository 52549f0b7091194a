import io

import pytest

from ipudebug.cli.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Clock:
    """Seconds that pass only when the test says so."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_a_terminal_shows_one_line_with_the_time_left(clock):
    stream = Terminal()
    with Progress("images", 4, stream, clock) as progress:
        clock.now += 60
        progress.advance()
    bar = "-" * 30
    first = f"images: [{bar}] 0/4"
    second = f"images: [{'#' * 7}{'-' * 23}] 1/4, 3:00 left"
    assert stream.getvalue() == f"\r{first}\r{second}\r{' ' * len(second)}\r"


def test_a_shorter_line_covers_a_longer_one(clock):
    stream = Terminal()
    progress = Progress("x", 2, stream, clock)
    clock.now += 1
    progress.advance()
    long = len(stream.getvalue()) - 1
    clock.now += 1
    progress.advance()
    assert len(stream.getvalue().split("\r")[-1]) == long


def test_the_terminal_is_not_drawn_for_every_step(clock):
    stream = Terminal()
    progress = Progress("x", 1000, stream, clock)
    for _ in range(500):
        clock.now += 0.001
        progress.advance()
    assert stream.getvalue().count("\r") == 5


def test_a_log_gets_nothing_about_short_work(clock):
    stream = io.StringIO()
    with Progress("images", 10, stream, clock) as progress:
        for _ in progress.track(range(10)):
            clock.now += 0.19
    assert stream.getvalue() == ""


def test_a_log_gets_a_line_after_two_seconds_and_then_now_and_then(clock):
    stream = io.StringIO()
    with Progress("images", 100, stream, clock) as progress:
        for _ in progress.track(range(40)):
            clock.now += 1
    assert stream.getvalue() == (
        "images: [------------------------------] 3/100, 1:37 left\n"
        "images: [#########---------------------] 33/100, 1:07 left\n"
    )


def test_an_unknown_total_shows_count_and_time(clock):
    stream = io.StringIO()
    progress = Progress("layers", None, stream, clock)
    clock.now += 3725
    progress.advance(12)
    assert stream.getvalue() == "layers: 12 done, 1:02:05\n"


@pytest.mark.parametrize("stream", [Terminal(), io.StringIO()])
def test_a_single_step_shows_nothing(clock, stream):
    with Progress("images", 1, stream, clock) as progress:
        clock.now += 10
        progress.advance()
    assert stream.getvalue() == ""


def test_clearing_makes_room_for_a_line(clock):
    stream = Terminal()
    progress = Progress("x", 3, stream, clock)
    clock.now += 5
    progress.advance()
    progress.clear()
    stream.truncate(0)
    stream.seek(0)
    progress.clear()
    assert stream.getvalue() == ""
    progress.advance()
    assert stream.getvalue().startswith("\rx: [")


def test_a_narrow_terminal_is_not_wrapped(clock, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    stream = Terminal()
    with Progress("a long label", 5, stream, clock):
        assert stream.getvalue() == "\ra long label: [----"


def test_track_passes_the_items_on(clock):
    assert list(Progress("x", 3, io.StringIO(), clock).track("abc")) == ["a", "b", "c"]
