import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipudebug.errors import ModelError
from ipudebug.runners.prototext import Field, find_all, find_text, format_prototext, parse_prototext


def test_reads_every_form_of_field() -> None:
    text = """
    name: "a # no comment"   # a comment
    layer { top: 'x' kernel_size: 3; bias_term: false, }
    layer: < dim: [1, -1, 2.5e-3] pool: MAX >
    long: "one" 'two'
    """
    fields = parse_prototext(text, "net")
    assert find_text(fields, "name") == "a # no comment"
    assert [field.text for field in find_all(fields, "layer", "dim")] == ["1", "-1", "2.5e-3"]
    assert find_text(fields, "layer", "top") == "x"
    assert find_text(fields, "long") == "onetwo"
    assert find_text(fields, "absent") == ""


WORDS = st.from_regex(r"[A-Za-z0-9_.+-]{1,8}", fullmatch=True)
NAMES = st.from_regex(r"[a-z_]{1,6}", fullmatch=True)
STRINGS = st.text(st.characters(codec="ascii", exclude_characters='\\"\n\r', min_codepoint=32), max_size=8)
FIELDS = st.recursive(
    st.builds(Field, NAMES, WORDS | STRINGS.map(lambda text: f'"{text}"')),
    lambda inner: st.builds(Field, NAMES, st.lists(inner, max_size=3).map(tuple)),
    max_leaves=12,
)


@given(st.lists(FIELDS, max_size=4).map(tuple))
def test_what_is_written_is_read_back(fields: tuple[Field, ...]) -> None:
    assert parse_prototext(format_prototext(fields), "net") == fields


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("layer {", "net: line 1: expected the name of a field or '}', found the end of the file"),
        ("a: 1\nlayer {\n  top: }", "net: line 3: expected a value, found '}'"),
        ("a 1", "net: line 1: expected ':' or '{' after a, found '1'"),
        ('a: "open\nb: 1', "net: line 1: expected a string that ends on its line"),
        ("a: [1 2]", "net: line 1: expected ',' or ']', found '2'"),
        ("}", "net: line 1: expected the name of a field, found '}'"),
        ("a {" * 1000, "net: line 1: expected at most 64 messages within each other"),
        ("\x89PNG", "net: line 1: expected the name of a field"),
    ],
)
def test_says_where_the_text_is_wrong(text: str, message: str) -> None:
    with pytest.raises(ModelError) as error:
        parse_prototext(text, "net")
    assert error.value.message.startswith(message)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ModelError):
        parse_prototext(text, "net")
