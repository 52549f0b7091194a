"""A family of parts: found by its files, imported one by one, forgiving in how it is asked."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipudebug.errors import UnknownPlugin
from ipudebug.registry import Registry


@pytest.fixture
def family(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Make a package of three parts, one shared module and one that does not import."""
    folder = tmp_path / "some_family"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    for name in ("max_abs", "rmse", "cos"):
        (folder / f"{name}.py").write_text(f"PART = 'the part {name}'\n")
    (folder / "sums.py").write_text("SHARED = 1\n")
    (folder / "broken.py").write_text("import no_such_module_at_all\n")
    (folder / "notes.txt").write_text("no module")
    monkeypatch.syspath_prepend(tmp_path)
    yield "some_family"
    for name in [name for name in sys.modules if name.split(".")[0] == "some_family"]:
        del sys.modules[name]


def test_the_parts_are_the_modules_of_the_folder_in_alphabetical_order(family: str) -> None:
    parts: Registry[str] = Registry(family, "PART", "part", besides=("sums",))
    assert list(parts) == ["broken", "cos", "max_abs", "rmse"]
    assert len(parts) == 4
    assert "max_abs" in parts
    assert "sums" not in parts
    assert "notes" not in parts
    assert 3 not in parts
    assert not [name for name in sys.modules if name.startswith("some_family.")]  # nothing was imported


def test_a_part_is_imported_when_it_is_asked_for(family: str) -> None:
    parts: Registry[str] = Registry(family, "PART", "part", besides=("sums",))
    assert parts["max_abs"] == parts["MAX-ABS"] == parts["Max_Abs"] == "the part max_abs"
    assert [name for name in sys.modules if name.startswith("some_family.")] == ["some_family.max_abs"]
    with pytest.raises(ModuleNotFoundError, match="no_such_module_at_all"):
        parts["broken"]


def test_names_may_be_spelled_with_dashes(family: str) -> None:
    parts: Registry[str] = Registry(family, "PART", "part", besides=("sums", "broken"), dashes=True)
    assert list(parts) == ["cos", "max-abs", "rmse"]
    assert parts["max-abs"] == parts["max_abs"] == "the part max_abs"
    assert parts.find("MAX_ABS") == "max-abs"
    assert dict(parts) == {"cos": "the part cos", "max-abs": "the part max_abs", "rmse": "the part rmse"}


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("rsme", "unknown part: rsme", "did you mean rmse? known: cos, max_abs, rmse"),
        ("Xyz", "unknown part: Xyz", "known: cos, max_abs, rmse"),
        ("", "unknown part: ", "known: cos, max_abs, rmse"),
        ("sums", "unknown part: sums", "did you mean rmse? known: cos, max_abs, rmse"),
        ("../cos", "unknown part: ../cos", "did you mean cos? known: cos, max_abs, rmse"),
        ("cos.x", "unknown part: cos.x", "did you mean cos? known: cos, max_abs, rmse"),
    ],
)
def test_a_name_that_does_not_exist_gets_the_near_ones(family: str, name: str, message: str, hint: str) -> None:
    parts: Registry[str] = Registry(family, "PART", "part", besides=("sums", "broken"))
    with pytest.raises(UnknownPlugin) as raised:
        parts[name]
    assert raised.value.message == message
    assert raised.value.hint == hint
    assert parts.get(name) is None
