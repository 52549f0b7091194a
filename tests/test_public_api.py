"""What ``import ipudebug`` promises: the names, documented, typed, imported only when they are used."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
import typing
from importlib import resources
from typing import Any

import pytest

import ipudebug

PUBLIC = [name for name in ipudebug.__all__ if name != "__version__"]


def find_home(name: str) -> Any:
    """Return a public name from the module that it lives in."""
    return getattr(importlib.import_module(ipudebug._HOME[name]), name)


def run_python(script: str) -> str:
    """Return what a fresh interpreter prints."""
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_all_is_sorted_complete_and_without_duplicates() -> None:
    assert list(ipudebug.__all__) == sorted(set(ipudebug.__all__))
    assert set(PUBLIC) == set(ipudebug._HOME)
    assert dir(ipudebug) == ipudebug.__all__
    assert {"open_dump", "write_dump", "compare", "diagnose", "run"} <= set(PUBLIC)


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_exists_and_is_documented(name: str) -> None:
    value = find_home(name)
    assert inspect.isclass(value) or inspect.isfunction(value)
    assert value.__name__ == name
    assert value.__module__ == ipudebug._HOME[name]
    assert inspect.getdoc(value)
    for attribute, member in vars(value).items() if inspect.isclass(value) else ():
        if not attribute.startswith("_") and inspect.isfunction(member):
            assert inspect.getdoc(member), f"{name}.{attribute}"


@pytest.mark.parametrize("name", ["open_dump", "write_dump", "compare", "diagnose", "run"])
def test_a_public_function_is_typed_and_says_what_it_raises(name: str) -> None:
    function = find_home(name)
    signature = inspect.signature(function)
    assert signature.return_annotation is not inspect.Signature.empty
    assert all(each.annotation is not inspect.Parameter.empty for each in signature.parameters.values())
    assert "Raises" in (inspect.getdoc(function) or "")


def test_a_name_that_does_not_exist() -> None:
    with pytest.raises(AttributeError, match="module 'ipudebug' has no attribute 'nothing'"):
        ipudebug.nothing  # noqa: B018


def test_types_are_shipped() -> None:
    assert resources.files("ipudebug").joinpath("py.typed").is_file()
    assert typing.get_type_hints(ipudebug.TensorInfo)["name"] is str


def test_importing_costs_next_to_nothing() -> None:
    loaded = run_python("import ipudebug, sys; print(*(name for name in sys.modules if name.startswith('ipudebug')))")
    assert loaded == "ipudebug"
    heavy = run_python("import ipudebug, sys; ipudebug.__version__; dir(ipudebug); print(*sys.modules)").split()
    assert not {"numpy", "onnx", "onnxruntime", "click", "PIL"} & set(heavy)


@pytest.mark.parametrize("name", PUBLIC)
def test_each_name_is_imported_on_its_own(name: str) -> None:
    assert run_python(f"from ipudebug import {name}; print({name}.__name__)") == name


@pytest.mark.parametrize(
    "before",
    ["from ipudebug import Comparison", "import ipudebug.comparison", "from ipudebug.comparison import LayerResult"],
)
def test_compare_is_the_function_whatever_was_imported_before(before: str) -> None:
    found = run_python(f"{before}\nimport ipudebug\nfrom ipudebug import compare\nprint(compare, ipudebug.compare)")
    assert found.count("<function compare") == 2
