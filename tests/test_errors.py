"""The tree of errors: as its docstring draws it, catchable as the built-in it stands for, and whole after a copy."""

from __future__ import annotations

import copy
import inspect
import re

import pytest

from ipudebug import errors
from ipudebug.errors import IpuDebugError, MissingDependency, UnknownPlugin

ALL = [value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, IpuDebugError)]


def test_the_docstring_draws_the_tree() -> None:
    parents: list[str] = []
    drawn = {}
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"    ((?:[│ ]   )*(?:[├└]── )?)([A-Z]\w+)  +\S", line)
        if found:
            depth = len(found[1]) // 4
            parents[depth:] = [found[2]]
            drawn[found[2]] = parents[depth - 1] if depth else "Exception"
    assert drawn == {each.__name__: each.__bases__[0].__name__ for each in ALL}


@pytest.mark.parametrize("error", ALL)
def test_an_error_is_its_message_and_carries_its_hint(error: type[IpuDebugError]) -> None:
    raised = error("a.bin: expected 4, found 3", "dump again")
    assert str(raised) == raised.message == "a.bin: expected 4, found 3"
    assert raised.hint == "dump again"
    assert error("x").hint is None
    assert error.__doc__
    again = copy.copy(raised)  # as it travels between processes
    assert (type(again), str(again), again.message, again.hint) == (error, str(raised), raised.message, raised.hint)


def test_errors_are_caught_as_the_built_in_that_the_vendor_s_tools_end_in() -> None:
    with pytest.raises(KeyError):
        raise UnknownPlugin("unknown metric: x")
    with pytest.raises(ImportError):
        raise MissingDependency("no opencv")
