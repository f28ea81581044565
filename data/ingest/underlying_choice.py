"""Which underlyings of files are meant, each with what is to be read of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from ..base.errors import InputFileError
from ..lake.naming import is_underlying, split_choice
from ..vendors.roots import same_underlying, underlying_named
from .plan import Plan, plan_sources
from .settings import with_settings
from .tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..lake.manifest import Manifest
    from ..tables.underlying_settings import Assumed, UnderlyingSettings
    from ..vendors.vendor_preset import InputFile, Preset
    from .files import Found

__all__ = ["Choice", "Chosen", "NameInFile"]


@dataclass(slots=True)
class Chosen:
    """One underlying of the files that is to be read."""

    name: str
    assumed: Assumed
    preset: Preset
    before: Manifest
    plan: Plan
    said: dict[str, set[int]]
    tally: Tally = field(default_factory=Tally)

    @property
    def wanted(self) -> list[tuple[str, int]]:
        """Names as the files write them, with the numbers of the files to read."""
        return [(said, index) for said, numbers in self.said.items() for index in sorted(numbers)]


@dataclass(frozen=True, slots=True)
class NameInFile:
    """A name as a file writes it, and which of the file's rows have it."""

    said: str
    index: int
    count: int
    first: int
    last: int

    @property
    def together(self) -> bool:
        """Whether its rows stand together."""
        return self.last - self.first + 1 == self.count


@dataclass(frozen=True, slots=True)
class Choice:
    """Names and patterns that are asked for, and what decides which underlyings they mean."""

    text: str
    files: Sequence[InputFile]
    found: Found
    preset: Preset
    settings: UnderlyingSettings
    before: Callable[[str], Manifest]
    held: tuple[str, ...]

    def among(self, named: Sequence[NameInFile]) -> tuple[list[Chosen], Counter[str]]:
        """Return the underlyings that are meant, each with its plan, and the rows of the others."""
        known = {n.said: self._underlying(n.said) for n in named if n.said is not None}
        names, patterns = split_choice(self.text)
        spelled: dict[str, set[str]] = {}
        for name in names:
            spelled.setdefault(name, set()).update(_meant(name, known))
        usable = {u for u in known.values() if is_underlying(u)}  # the others are left out, counted
        for name in sorted({u for u in usable for p in patterns if fnmatchcase(u, p)}):
            spelled.setdefault(name, set()).update(said for said, u in known.items() if u == name)
        if not spelled:
            raise InputFileError(
                f"{self.files[0].label} holds no underlying that fits {self.text!r}: it holds "
                f"{_some(sorted(set(known.values())))}; capitals matter"
            )
        meant = set().union(*spelled.values())
        left: Counter[str] = Counter()
        for each in named:
            if each.said not in meant:
                left[each.said or "(no name)"] += each.count
        former = self._former(set(spelled), patterns)
        ones = [self._planned(n, s, named) for n, s in sorted({**former, **spelled}.items())]
        return ones, left

    def _former(self, here: set[str], patterns: Sequence[str]) -> dict[str, set[str]]:
        """Return chosen underlyings of the lake that were read from a file that lacks them now."""
        paths = {str(path) for path in self.found.files}
        return {
            name: set()
            for name in self.held
            if name not in here and any(fnmatchcase(name, p) for p in patterns)
            if any(p in paths for s in self.before(name).sources for p in s.paths)
        }

    def _underlying(self, said: str) -> str:
        for name, others in self.preset.dialect.aliases.items():
            if said in others:
                return name
        return underlying_named(said)

    def _planned(self, name: str, said: set[str], named: Sequence[NameInFile]) -> Chosen:
        before = self.before(name)
        assumed = self.settings.of(name, self.preset.timing.instrument)
        preset = with_settings(self.preset, assumed)
        numbers = sorted({n.index for n in named if n.said in said})
        lost = {s for e in before.sessions if not e.file.is_file() for s in e.sources}
        files = [self.files[i] for i in numbers]
        plan = plan_sources(preset, files, self.found.files, before.sources, lost)
        fresh = {file.label for file in plan.fresh}
        wanted = {i for i in numbers if self.files[i].label in fresh}
        where = {s: {n.index for n in named if n.said == s} & wanted for s in sorted(said)}
        return Chosen(name, assumed, preset, before, plan, {s: w for s, w in where.items() if w})


def _meant(asked: str, known: Mapping[str, str]) -> set[str]:
    """Return the names in the files that an asked one means: itself, else the only one like it."""
    exact = {said for said, underlying in known.items() if asked in (said, underlying)}
    if exact:
        return exact
    alike = {said for said in known if same_underlying(said, asked)}
    if len({known[said] for said in alike}) == 1:
        return alike
    some = _some(sorted(alike) or sorted(set(known.values())))
    raise InputFileError(
        f"the files hold no rows of {asked}: they hold {some}; write a name as the files do, or "
        f"say in the map that it is the same: [aliases] {asked} = [...]"
    )


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return (", ".join(names[:20]) or "no named rows") + more
