from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipudebug.catalogue.folding import _TABLE, fold, measure_fold, strip_colours


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("A b\tC\r\n", "abc"),
        ('`x` \'y\' "z" \\"w\\"', "xyzw"),
        ("\u201ca\u2019\u00a0b\u3000c\u200bd\ufeff", "abcd"),
        ("\x1b[1;31mred\x1b[0m \x1b]8;;http://x\x07link\x1b]8;;\x1b\\", "redlink"),
        ("\x00\x07a\x7f", "a"),
        ("ÄÖ ß İ", "ÄÖßİ"),
    ],
)
def test_what_does_not_matter_is_gone(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text(st.characters(max_codepoint=127)))
def test_the_fast_way_folds_as_the_slow_one(text: str) -> None:
    assert fold(text) == strip_colours(text).translate(_TABLE)


@given(st.text(st.characters(exclude_characters="\x1b")))
def test_measuring_finds_the_place_of_every_letter(text: str) -> None:
    folded = fold(text)
    for place in range(len(folded)):
        start = measure_fold(text, place)
        assert fold(text[:start]) == folded[:place]
        assert fold(text[start]) == folded[place]
    assert measure_fold(text, len(folded)) == len(text)
