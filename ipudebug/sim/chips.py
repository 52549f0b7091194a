"""chips.ini -> the chips, their limits and their operators, as far as they are public."""

from __future__ import annotations

import configparser
import functools
import os
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """One number that a chip or its toolchain sets: ``value`` and ``older`` are None where they are not known."""

    name: str
    value: int | None
    older: int | None
    source: str


@dataclass(frozen=True, slots=True)
class Chips:
    """What is public: chip names (not all), limits by name, operators known to be converted and to be refused."""

    names: tuple[str, ...]
    limits: Mapping[str, Limit]
    converted: frozenset[str]
    refused: frozenset[str]


@functools.cache
def load_chips() -> Chips:
    """Return the data of chips.ini."""
    parser = configparser.ConfigParser(delimiters=("=",), comment_prefixes=("#",), interpolation=None)
    with open(os.path.join(os.path.dirname(__file__), "chips.ini"), encoding="utf-8") as file:
        parser.read_file(file)
    limits = {}
    for section in parser.sections():
        if section.startswith("limit "):
            name = section.removeprefix("limit ")
            value, older = (_read_number(parser[section].get(key, "not known")) for key in ("value", "older"))
            limits[name] = Limit(name, value, older, parser[section]["source"])
    operators = parser["operators"]
    return Chips(
        names=tuple(parser["chips"]["names"].split()),
        limits=limits,
        converted=frozenset(operators["converted"].split()),
        refused=frozenset(operators["refused"].split()),
    )


def _read_number(text: str) -> int | None:
    """Return a number, or None for ``not known``; raises ValueError for anything else."""
    return None if text == "not known" else int(text)
