"""A family of interchangeable parts: one entry for every module dropped into a package.

A part is one file and nothing else. Its name is the file's name (commands are spelled with ``-`` for ``_``), its object
is one module attribute that all files of the family share. Listing a family reads a directory; nothing is imported
before a part is asked for.
"""

import importlib
import importlib.util
import pkgutil
from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

from ipudebug.errors import UnknownPlugin

T = TypeVar("T")


class Registry(Mapping[str, T], Generic[T]):
    """The parts of one package, by name; a part's module is imported when the part is first looked up.

    Args:
        package: dotted name of the package whose modules are the parts.
        attribute: the module attribute that holds the part.
        noun: what one part is called in messages ("metric", "report").
        besides: modules of the package that are no parts (what several parts share).
        dashes: whether names are spelled with ``-`` where the file's name has ``_``.

    Looking up a name that does not exist raises UnknownPlugin, which names the near ones.
    """

    def __init__(
        self, package: str, attribute: str, noun: str, besides: tuple[str, ...] = (), *, dashes: bool = False
    ) -> None:
        """Remember where the parts are; see the class."""
        self.package = package
        self.attribute = attribute
        self.noun = noun
        self._besides = frozenset(besides)
        self._dashes = dashes
        self._names: tuple[str, ...] | None = None

    def __iter__(self) -> Iterator[str]:
        """Yield the names in alphabetical order, without importing the parts."""
        if self._names is None:
            spec = importlib.util.find_spec(self.package)
            paths = spec.submodule_search_locations if spec else None
            modules = (module.name for module in pkgutil.iter_modules(paths))
            self._names = tuple(sorted(self._spell(name) for name in modules if name not in self._besides))
        return iter(self._names)

    def _spell(self, name: str) -> str:
        """Return a name with the family's word joiner."""
        return name.replace("_", "-") if self._dashes else name.replace("-", "_")

    def __len__(self) -> int:
        """Return how many parts there are."""
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        """Return whether there is a part of that name; nothing is imported."""
        return any(name == known for known in self)

    def __getitem__(self, name: str) -> T:
        """Return the part of that name; raises UnknownPlugin."""
        module = importlib.import_module(f"{self.package}.{self.find(name).replace('-', '_')}")
        part: T = getattr(module, self.attribute)
        return part

    def find(self, name: str) -> str:
        """Return the name as the family spells it: case, ``-`` and ``_`` are forgiven; raises UnknownPlugin."""
        spelled = self._spell(name.lower())
        if spelled not in self:
            import difflib

            near = difflib.get_close_matches(spelled, list(self), n=3, cutoff=0.5)
            known = ", ".join(self)
            hint = f"did you mean {' or '.join(near)}? known: {known}" if near else f"known: {known}"
            raise UnknownPlugin(f"unknown {self.noun}: {name}", hint)
        return spelled
