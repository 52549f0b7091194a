"""The metadata of a simulated model."""

from __future__ import annotations

import pytest

from ipudebug.errors import ModelError
from ipudebug.sim.model import Stage
from ipudebug.sim.stage import SimFacts, read_facts, write_facts
from ipudebug.tensor import Layout
from tests.sim.constraints.models import one

GOOD = {"ipudebug.stage": "float", "ipudebug.version": "1", "ipudebug.chip": "c", "ipudebug.layout": "NCHW"}


def test_facts_come_back_and_replace_older_ones() -> None:
    model = one("Relu")
    model.metadata_props.add(key="author", value="me")
    write_facts(model, SimFacts(Stage.FLOAT, "mochi", "old"))
    facts = SimFacts(Stage.FIXED, "souffle", "line 1\nline 2 ü\n", Layout.NHWC)
    write_facts(model, facts)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    assert len(metadata) == len(model.metadata_props) == 6
    assert metadata["author"] == "me"
    assert metadata["ipudebug.version"] == "1"
    assert read_facts(metadata, "x") == facts


def test_a_model_without_facts_is_an_original() -> None:
    assert read_facts({}, "x") is None
    assert read_facts({"author": "me"}, "x") is None
    assert read_facts(GOOD, "x") == SimFacts(Stage.FLOAT, "c", "")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("version", "2", "x: expected a simulated model of format version 1, found 2"),
        ("stage", "offline", r"x: ipudebug\.stage: expected float or fixed, found offline"),
        ("layout", "CHWN", r"x: ipudebug\.layout: expected NCHW or NHWC, found CHWN"),
    ],
)
def test_facts_that_are_none(key: str, value: str, message: str) -> None:
    with pytest.raises(ModelError, match=f"^{message}$"):
        read_facts({**GOOD, f"ipudebug.{key}": value}, "x")
