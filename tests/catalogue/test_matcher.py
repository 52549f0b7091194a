from __future__ import annotations

import configparser
import io
import itertools
import random
import struct
import textwrap
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipudebug.catalogue import Entry, find_known, load_entries
from ipudebug.catalogue.entries import PLACEHOLDER
from ipudebug.catalogue.log import read_log
from ipudebug.catalogue.matcher import REACH, WINDOW

ENTRIES = load_entries()
ROWS = [key for key in ENTRIES if key.isdigit()]
BEFORE = """2024-01-01 12:00:00 [INFO] start conversion of /models/net.onnx
Traceback (most recent call last):
  File "/opt/SGS_IPU_Toolchain/Scripts/ConvertTool/ConvertTool.py", line 412, in <module>
    main(args)
  File "/opt/SGS_IPU_Toolchain/Scripts/ConvertTool/mace/onnx_converter.py", line 77, in run
    raise error_of(node, self._text)
"""
AFTER = "\nAborted (core dumped)\nmake: *** [all] Error 1\n"
NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters="⟨⟩"), max_size=60
)


def find_keys(text: str, entries: dict[str, Entry] | None = None) -> list[str]:
    known = find_known(text.splitlines(keepends=True), entries or ENTRIES)
    return [entry.key for found in known for entry in found.entries]


def fill(entry: Entry, form: str, values: Iterator[str]) -> str:
    return PLACEHOLDER.sub(lambda _: next(values), form)


def draw_names(seed: int) -> Iterator[str]:
    source = random.Random(seed)
    letters = "abcXYZ0189/_.:-[]{}() '\"äß中"
    while True:
        yield "".join(source.choice(letters) for _ in range(source.randint(0, 60)))


@pytest.mark.parametrize("seed", range(5))
def test_every_message_is_found_in_noise_whatever_stands_in_its_placeholders(seed: int) -> None:
    names = draw_names(seed)
    missed = []
    for entry in (entry for key, entry in ENTRIES.items() if not key.startswith("own-message-")):
        for form in entry.forms:
            text = BEFORE + fill(entry, form, names) + AFTER
            found = find_keys(text)
            if entry.key not in found and not (entry.general and found):  # last resorts overlap one another
                missed.append((entry.key, text))
    assert missed == []


@settings(max_examples=60, deadline=None)
@given(key=st.sampled_from(ROWS), values=st.lists(NAMES, min_size=1, max_size=4))
def test_any_name_fits_a_placeholder(key: str, values: list[str]) -> None:
    assert key in find_keys(BEFORE + fill(ENTRIES[key], ENTRIES[key].message, itertools.cycle(values)) + AFTER)


@pytest.mark.parametrize("width", [20, 33, 80])
@pytest.mark.parametrize("cut", ["in words", "between words"])
def test_messages_that_a_terminal_has_broken(width: int, cut: str) -> None:
    for entry in (entry for entry in ENTRIES.values() if entry.key.isdigit()):
        text = PLACEHOLDER.sub(r"\1", entry.message)
        lines = [text[at : at + width] for at in range(0, len(text), width)]
        lines = lines if cut == "in words" else textwrap.wrap(text, width)
        assert entry.key in find_keys("\n".join(lines)), entry.key


def test_colours_quotes_case_and_prefixes_do_not_matter() -> None:
    for text in (
        '\x1b[1;31mRuntimeError\x1b[0m: \x1b[35mThe model doesn\'t have input named "images"\x1b[0m',
        'The model doesn\u2019t have input named \\"images\\"',
        "the model doesn't have input named images",
        "[ERROR] onnxsim: RuntimeError: The model doesn't have input named `images`",
        "Exception: The model doesn't have input named 'images'\r\n",
    ):
        assert find_keys(text) == ["075"], text


def test_the_prefix_of_native_checks_may_be_missing() -> None:
    assert find_keys("Image Header Input 3 ZPoint check failed") == ["096"]


def test_the_longest_message_wins() -> None:
    assert find_keys("FileNotFoundError: No such model: a.sim") == ["084"]
    assert find_keys("FileNotFoundError: a.sim") == ["104"]
    assert find_keys("ValueError: Not recognized model.") == ["083"]
    assert find_keys("ValueError: Not recognized model") == ["086", "105"]


def test_rows_with_one_text_are_all_named_and_a_stage_narrows() -> None:
    text = "ValueError: Not support soc_version: muffi"
    assert find_keys(text) == ["071", "082", "085", "117"]
    only = {key: entry for key, entry in ENTRIES.items() if entry.stage == "O"}
    assert find_keys(text, only) == ["085"]


def test_last_resorts_explain_what_nothing_else_does() -> None:
    assert find_keys("Assert!!! Errors happened in Foo is odd") == ["native-assert"]
    assert find_keys("RuntimeError: MI_IPU_Invoke failed: 9") == ["board-call"]
    assert find_keys("RuntimeError: MI_IPU_CreateCHNWithUserMem failed: 54") == ["122"]


def test_neighbouring_lines_are_not_taken_for_one_message() -> None:
    text = (
        "Assert!!! Errors happened in Image Header output 0 ZPoint check failed\n"
        "Assert!!! Errors happened in Image Header Input 1 ExtFlag check failed\n"
        "sub-process started\n"
        "sub 0, tensor [output] has dynamic shape that cannot be figured out!\n"
    )
    known = find_known(text.splitlines(keepends=True), ENTRIES)
    assert [(found.entries[0].key, found.line) for found in known] == [("095", 1), ("088", 2), ("077", 4)]


def test_nothing_is_found_in_an_ordinary_log() -> None:
    lines = [f"[INFO] op {i} /layer{i}/Conv only took {i / 7} ms, shape [1, {i}, 3], ok\n" for i in range(5000)]
    assert find_known(lines, ENTRIES) == []


def test_repeated_messages_are_counted_and_the_first_is_quoted() -> None:
    text = "x\n  Exception: Not support group conv3d yet:/a/Conv\ny\n" + "Not support group conv3d yet:/b\n" * 3
    (found,) = find_known(text.splitlines(keepends=True), ENTRIES)
    assert (found.line, found.count) == (2, 4)
    assert found.excerpt == "Exception: Not support group conv3d yet:/a/Conv"


def test_a_broken_message_is_quoted_whole() -> None:
    (found,) = find_known(["noise Loopback in gra\n", "ph is not supported! and more\n"], ENTRIES)
    assert found.excerpt == "Loopback in gra ph is not supported! and more"


@settings(max_examples=40, deadline=None)
@given(offset=st.integers(0, REACH + 200), line=st.integers(1, 5000))
def test_a_message_is_found_once_wherever_the_windows_end(offset: int, line: int) -> None:
    filler = ("z" * line + "\n") * ((WINDOW + 200 - offset) // line)
    message = ENTRIES["005"].fill(["i" * 900, "n" * 900, "Conv"])
    (found,) = find_known((filler + message + "\n" + filler).splitlines(keepends=True), ENTRIES)
    assert (found.entries[0].key, found.count) == ("005", 1)
    assert found.line == filler.count("\n") + 1
    assert found.excerpt == message


def test_memory_does_not_grow_with_the_log() -> None:
    def long_log(count: int) -> Iterator[str]:
        for number in range(count):
            yield f"KeyError: 'tensor_{number}' and some more text to make the line longer\n"

    peaks = []
    for count in (5_000, 20_000):
        tracemalloc.start()
        (found,) = find_known(long_log(count), {"002": ENTRIES["002"]})
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert found.count == count
    assert peaks[1] < 1.5 * peaks[0]


def test_what_python_itself_says_is_recognised() -> None:
    def say(error: Exception) -> str:
        return f"{type(error).__module__}.{type(error).__name__}: {error}"

    def raise_and_say(source: str) -> str:
        try:
            exec(source, {})
        except Exception as error:
            return say(error)
        return ""

    assert find_keys(raise_and_say("max([])")) == ["114"]
    assert find_keys(raise_and_say("import importlib; importlib.import_module('./x')")) == ["111"]
    assert find_keys(raise_and_say(r"b'\xff\xd8'.decode()")) == ["116"]
    assert find_keys(raise_and_say("def f(x, norm=True)\n  pass")) == ["112", "119"]
    assert find_keys(raise_and_say("import struct; struct.unpack('784f', b'')")) == ["113"]
    with pytest.raises(configparser.MissingSectionHeaderError) as caught:
        configparser.ConfigParser().read_string("x\n")
    assert find_keys(say(caught.value)) == ["003", "076"]
    with pytest.raises(struct.error):
        struct.unpack("2f", b"")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_logs_are_read_in_their_encoding(encoding: str) -> None:
    text = "start ä\nValueError: Not recognized model.\n"
    lines = read_log(io.BufferedReader(io.BytesIO(text.encode(encoding))))  # type: ignore[arg-type]
    assert list(lines) == text.splitlines(keepends=True)


def test_bytes_that_are_no_text_do_not_stop_the_reading() -> None:
    lines = list(read_log(io.BytesIO(b"\xff\x00\xfe\nLoopback in graph is not supported!")))
    assert [found.line for found in find_known(lines, ENTRIES)] == [2]
