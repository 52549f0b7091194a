from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipudebug.config.debug_config import SWITCHES, DebugConfig, load_debug_config
from ipudebug.errors import ConfigError, IpuDebugError


@pytest.fixture
def load(tmp_path):
    def load_text(text):
        path = tmp_path / "DebugConfig.txt"
        path.write_bytes(text.encode())
        return load_debug_config(str(path))

    return load_text


def test_the_template_loads_without_a_remark():
    path = Path(__file__).parents[2] / "cfg" / "DebugConfig.txt"
    assert load_debug_config(str(path)) == DebugConfig(eliminate_garbage=True)
    assert all(switch in path.read_text() for switch in SWITCHES)


@pytest.mark.parametrize("switch", SWITCHES)
@pytest.mark.parametrize("line", ["{}", "  {} ", "{}\r", "{} # why", "{}# why", "\t{}"])
def test_each_switch(load, switch, line):
    assert load(line.format(switch)) == DebugConfig(**{SWITCHES[switch]: True})


@pytest.mark.parametrize("line", ["#dumpTensor", "//dumpTensor", "  # dumpTensor", "", "# path=/none"])
def test_comments_switch_nothing_on(load, line):
    assert load(line) == DebugConfig()


@pytest.mark.parametrize("line", ["path={}", "path = {}  ", "path={} # here", "path={}\r\n"])
def test_the_folder(load, tmp_path, line):
    assert load(line.format(tmp_path)) == DebugConfig(path=str(tmp_path))


def test_an_empty_folder_is_the_home_folder(load):
    assert load("path=\n") == DebugConfig(path=None)


def test_a_folder_with_a_hash_in_its_name(load, tmp_path):
    folder = tmp_path / "run#2"
    folder.mkdir()
    assert load(f"path={folder}").path == str(folder)


def test_a_missing_folder_is_an_error_when_dumping(load, tmp_path):
    with pytest.raises(ConfigError, match="line 2: path= expected an existing folder, found none at /no/where"):
        load("dumpTensor\npath=/no/where")
    assert "found none at /no/where" in load("path=/no/where").notes[0]


def test_a_relative_and_a_long_folder_are_noted(load, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load("path=.").notes == (
        f"{tmp_path}/DebugConfig.txt, line 1: path= is relative; it starts at the working directory",
    )
    (tmp_path / ("x" * 130)).mkdir()
    assert "122 bytes" in load(f"path={tmp_path}/{'x' * 130}").notes[0]


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("dumptensor", "line 1: expected a switch, found 'dumptensor'", "did you mean dumpTensor?"),
        ("\ndumpTensorX", "line 2: expected a switch, found 'dumpTensorX'", "did you mean dumpTensor?"),
        ("PATH=/tmp", "line 1: expected a switch, found 'PATH'", "did you mean path=?"),
        ("dumpTensor=0", "line 1: expected dumpTensor alone, found 'dumpTensor=0'", "#dumpTensor is off"),
        ("path=\npath=/tmp", "line 2: expected one path=, found another at", "remove one"),
    ],
)
def test_slips_of_the_pen(load, text, message, hint):
    with pytest.raises(ConfigError) as caught:
        load(text)
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")


def test_an_unknown_switch_is_noted(load):
    config = load("verbose\ndumpTensor\n")
    assert config.dump_tensor
    assert "line 1: unknown switch, ignored: verbose (known: dumpTensor," in config.notes[0]


def test_a_missing_file(tmp_path):
    with pytest.raises(ConfigError, match="debug config: no such file"):
        load_debug_config(str(tmp_path / "DebugConfig.txt"))


@given(st.binary() | st.text("dumpTensorpath=/#\n\r ").map(str.encode))
def test_any_bytes_give_a_config_or_an_error_of_ours(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.txt"
    path.write_bytes(content)
    try:
        config = load_debug_config(str(path))
    except IpuDebugError:
        return
    assert isinstance(config.dump_tensor, bool)
