from __future__ import annotations

import collections
import hashlib
from pathlib import Path

import pytest

from ipudebug.catalogue import STAGES, load_entries
from ipudebug.catalogue.entries import PLACEHOLDER, _read_entry

ROWS = {key: entry for key, entry in load_entries().items() if key.isdigit()}
EVIDENCE = {"doc", "script", "std", "seen", "inferred", "ours"}


def test_the_122_rows_of_the_vendors_page_are_there_in_order() -> None:
    assert list(ROWS) == [f"{number:03}" for number in range(1, 123)]
    assert len({entry.message for entry in ROWS.values()}) == 115
    stages = collections.Counter(entry.stage for entry in ROWS.values())
    assert stages == {"F": 78, "X": 5, "O": 3, "S": 36}


@pytest.mark.parametrize(
    ("first", "second"), [("003", "076"), ("012", "020"), ("013", "021"), ("103", "121"), ("071", "117")]
)
def test_rows_that_share_a_text(first: str, second: str) -> None:
    assert ROWS[first].message == ROWS[second].message


def test_messages_are_those_of_the_page() -> None:
    # The digest of all rows, made from the list of facts that the catalogue was written from, not from the catalogue.
    joined = "\n".join(f"{key} {entry.stage} {entry.message}" for key, entry in ROWS.items())
    assert (
        hashlib.sha256(joined.encode()).hexdigest()
        == "a8d7dc22de7b0018a3a1736c65b5e4f3c5d415315c5b7ea5c2e6201bb739939a"
    )


@pytest.mark.parametrize("key", load_entries())
def test_an_entry_says_everything(key: str) -> None:
    entry = load_entries()[key]
    assert entry.stage in STAGES
    assert entry.cause
    assert entry.when
    assert entry.look
    assert len(entry.remedy) > 3
    assert set(entry.evidence.split(", ")) <= EVIDENCE
    assert entry.message.count("⟨") == entry.message.count("⟩") == len(PLACEHOLDER.findall(entry.message))


def test_the_link_leads_to_a_place_in_the_page() -> None:
    page = (Path(__file__).parents[2] / "docs" / "errors.md").read_text(encoding="utf-8")
    for entry in load_entries().values():
        assert f'<a id="{entry.link.partition("#")[2]}"></a>' in page


def test_filling_replaces_the_samples_and_reading_returns_the_values() -> None:
    entry = ROWS["005"]
    text = entry.fill(["a b", "n", "Conv"])
    assert "input 'a b' of node:name: n OpType: Conv is not" in text
    assert entry.read_values(f"ValueError: {text} and more") == ("a b", "n", "Conv")
    assert entry.read_values("another text") == ("Transpose_7_o0_rewrite", "Conv13", "Conv")
    with pytest.raises(ValueError, match="3 placeholders"):
        entry.fill(["a"])


@pytest.mark.parametrize("change", [{"stage": "Q"}, {"colour": "red"}, {"message": None}])
def test_an_entry_that_is_not_in_order_is_refused(change: dict[str, str | None]) -> None:
    good = dict.fromkeys(("message", "cause", "when", "evidence", "remedy", "look"), "x") | {"stage": "F"}
    assert _read_entry("k", good, {}).message == "x"
    wrong = {key: value for key, value in (good | change).items() if value is not None}
    with pytest.raises(ValueError, match="catalogue entry k"):
        _read_entry("k", wrong, {})
