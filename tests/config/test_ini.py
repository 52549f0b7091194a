import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ipudebug.config.ini import LARGEST, MalformedIni, NoSectionHeader, read_ini, split_items
from ipudebug.errors import ConfigError, IpuDebugError


@pytest.fixture
def write(tmp_path):
    def write_ini(text):
        path = tmp_path / "some.ini"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    return write_ini


@pytest.mark.parametrize(
    ("value", "items"),
    [
        ("one,'two',\"three\";", ("one", "two", "three")),
        ("'one,two';", ("one", "two")),
        ("a, b c ,d  # why", ("a", "b c", "d")),
        ("/a,b_", ("/a", "b_")),
        ("'prob;", ("prob",)),
        ("it's,'it's'", ("it's", "it's")),
        ("fc11#55", ("fc11#55",)),
        ("'a;b # c'; # d", ("a;b # c",)),
        (r"a\,b,c\;d,\'e\',\\", ("a,b", "c;d", "'e'", "\\")),
        (r"a\b", ("a\\b",)),
        ("1:2:3,4", ("1:2:3", "4")),
        ("a,,b", ("a", "", "b")),
        ("", ()),
        (";", ()),
        ("# nothing", ()),
    ],
)
def test_a_value_is_split_as_the_vendor_writes_it(value, items):
    assert split_items(value)[0] == items


NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), min_size=1)


@given(NAMES)
def test_every_name_can_be_written_with_backslashes(name):
    assume(not any(end.isspace() and end != " " for end in (name[0], name[-1])))
    escaped = "".join("\\" + char if char in ",;:#'\"\\ " else char for char in name)
    assert split_items(escaped + ";")[0] == (name,)


def test_sections_keys_and_comments(write):
    ini = read_ini(
        write("\ufeff# top\r\n[input_config] ; yes\r\n Inputs : a,\r\n ; between\r\n b;\r\nempty\r\n"), "ini"
    )
    assert {key: (entry.items, entry.line) for key, entry in ini.sections["INPUT_CONFIG"].items()} == {
        "inputs": (("a", "b"), 3),
        "empty": ((), 6),
    }
    assert ini.notes == []


def test_a_section_may_be_continued(write):
    ini = read_ini(write("[A]\nx=1\n[B]\n[A]\ny=2\n"), "ini")
    assert list(ini.sections["A"]) == ["x", "y"]


def test_text_after_a_semicolon_is_noted(write):
    path = write("[A]\nx = a;b\n")
    assert read_ini(path, "ini").notes == [
        f"{path}, line 2: after the ';' comes a comment: b (a name with a ; needs quotes)"
    ]


def test_text_before_the_first_section(write):
    path = write("# fine\nx = 1\n[A]\n")
    with pytest.raises(NoSectionHeader) as caught:
        read_ini(path, "ini")
    assert caught.value.message == (
        f"File contains no section headers. {path}, line 2: expected [INPUT_CONFIG], found 'x = 1'"
    )
    assert isinstance(caught.value, ConfigError)
    assert str(caught.value) == caught.value.message


def test_an_empty_file_has_no_section(write):
    with pytest.raises(NoSectionHeader):
        read_ini(write(""), "ini")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[A]\nx = 1\nx = 2\n", "line 3, [A] x: expected one x, found another in line 2"),
        ("[A]\na b c\n", "line 2: expected key = value, found 'a b c'"),
        ("[A]\n= 1\n", "line 2: expected key = value, found ''"),
        ("[A\n", "line 1: expected a section header, found '[A'"),
        ("[ ]\n", "line 1: expected a section header, found '[ ]'"),
    ],
)
def test_malformed_lines(write, text, message):
    with pytest.raises(MalformedIni) as caught:
        read_ini(write(text), "ini")
    assert message in caught.value.message
    assert caught.value.hint


def test_not_a_text_and_too_large(write):
    with pytest.raises(ConfigError, match="not UTF-8 text: 'utf-8' codec can't decode byte 0xff in position 0"):
        read_ini(write(b"\xff\xfe["), "ini")
    with pytest.raises(ConfigError, match="larger than"):
        read_ini(write(b"[A]\n" + b"#" * LARGEST), "ini")


def test_a_folder_is_no_ini(tmp_path):
    with pytest.raises(ConfigError, match="is a directory"):
        read_ini(str(tmp_path), "ini")


@given(st.binary() | st.text("[]A=x,;#'\"\\:\n ").map(str.encode))
def test_any_bytes_give_a_result_or_an_error_of_ours(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.ini"
    path.write_bytes(content)
    try:
        ini = read_ini(str(path), "ini")
    except IpuDebugError:
        return
    assert ini.sections
