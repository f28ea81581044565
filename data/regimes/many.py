"""Rebuilds and regime tables of several underlyings, each by what is assumed of it."""

from __future__ import annotations

import shlex
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..base.errors import (
    DefinitionError,
    GexlabError,
    NotRebuiltError,
    OutdatedRowsError,
)
from ..base.workers import HERE, Workers
from ..calendar.market_facts import spells_in_words
from ..exposure.definition import CURVES, Definition
from ..lake.derived_writer import commit_stores
from ..lake.drafts import naming_the_lake
from ..lake.mirror import address_of
from ..lake.naming import chosen
from ..tables.rates import curve_file
from ..tables.underlying_settings import UnderlyingSettings, load_underlying_settings
from .many_pieces import Made, Piece, computed_of_each, light
from .spec import RegimeSpec, definition_named

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pandas as pd
    import pyarrow as pa

    from ..base.progress import Progress
    from ..base.schema import Book
    from ..lake.lake import Lake
    from ..peers.rules import PeerRule
    from ..tables.underlying_settings import Assumed
    from .rebuild import RebuildResult
    from .store_choice import DefinitionChoice

__all__ = ["MOST_HELD", "assumed_definition", "assumed_of", "rebuilt_many", "regimes_of_many"]

#: Keys of settings that a definition holds.
_RATES = ("rate", "dividend_yield")
#: Keys of settings that act when chains are written, and never again.
_WRITTEN: Final = ("multiplier", "settlement", "monthly", "currency")
#: Sessions, files and contracts that are computed before they are committed: memory bounds the
#: former two (about 80 and 100 MB), what a kill may cost the last one.
MOST_HELD: Final = (131_072, 65_536, 50_000_000)


def assumed_of(
    lake: Lake, underlying: str, settings: UnderlyingSettings | str | Path | None
) -> Assumed:
    """Return what settings say of an underlying, with the kind that the lake states."""
    if not isinstance(settings, UnderlyingSettings):
        settings = load_underlying_settings(settings) if settings else UnderlyingSettings()
    held = lake.manifest(underlying).instrument
    return settings.of(underlying, held).over({"instrument": held}, "lake")


def assumed_definition(
    definition: Definition | PeerRule, assumed: Assumed
) -> Definition | PeerRule:
    """Return a definition with an underlying's own rates.

    Raises
    ------
    DefinitionError
        If the definition is a peer's rule, which states its own.
    """
    said: dict[str, Any] = {k: v for k, v in assumed.values.items() if k in (*_RATES, *CURVES)}
    if not said:
        return definition
    if not isinstance(definition, Definition):
        raise DefinitionError(
            f"the definition {definition.name!r} states its own rates, the settings say "
            f"{', '.join(said)} of {assumed.underlying}: leave one of them out"
        )
    said |= {name: curve_file(said[name]) for name in CURVES if name in said}
    return replace(definition, **said)


def rebuilt_many(
    lake: Lake,
    choice: str,
    settings: UnderlyingSettings | str | Path | None,
    base: RegimeSpec,
    *,
    side_tables: bool,
    workers: Workers = HERE,
    progress: Progress,
) -> RebuildResult:
    """Rebuild the chosen underlyings, one after the other or spread over workers.

    What cannot be rebuilt is named with its reason and keeps the others from nothing. What was
    computed counts in one version of the lake, or in several where it is more than `MOST_HELD`.

    Parameters
    ----------
    lake : Lake
    choice : str
        Names with commas, patterns.
    settings : UnderlyingSettings, path or None
        Goes before what `base` says.
    base : RegimeSpec
        Of every underlying of which the settings say nothing else.
    side_tables : bool
    workers : Workers, optional
        They read the lake and write its files themselves, by its address; this process commits.
    progress : Progress
        Called after every session, or after every few underlyings where workers compute.

    Returns
    -------
    RebuildResult
        Sums, and `by_underlying`.

    Raises
    ------
    GexlabError
        If none can be rebuilt: the first one's.
    """
    from .rebuild import RebuildResult

    began = time.perf_counter()
    done: dict[str, RebuildResult] = {}
    failed: dict[str, GexlabError] = {}
    assumed: dict[str, Assumed] = {}
    if settings is not None and not isinstance(settings, UnderlyingSettings):
        settings = load_underlying_settings(settings)
    names = chosen(choice, lake.underlyings())

    def pieces() -> Iterator[Piece]:
        for name in names:
            try:
                spec, assumed[name] = _spec_of(lake.as_of_now(name), name, settings, base)
            except GexlabError as error:
                failed[name] = error
            else:
                yield Piece(address_of(lake.root), spec, side_tables)

    for name, found in _published(lake, computed_of_each(lake, pieces(), workers, progress)):
        if isinstance(found, GexlabError):
            failed[name] = found
        else:
            done[name] = found
    failed = {name: failed[name] for name in names if name in failed}
    if not done:
        raise next(iter(failed.values()))
    ids = sorted({each.definition_id for each in done.values()})
    return RebuildResult(
        sum(each.sessions for each in done.values()),
        sum(each.rebuilt for each in done.values()),
        sum(each.contracts for each in done.values()),
        time.perf_counter() - began,
        ", ".join(ids),
        done,
        {name: str(error) for name, error in failed.items()},
        assumed,
        tuple(settings.unused([*done, *failed])) if settings is not None else (),
    )


def _published(
    lake: Lake, found: Iterable[tuple[str, Made | GexlabError]]
) -> Iterator[tuple[str, RebuildResult | GexlabError]]:
    """Commit what was computed, many underlyings in one version; yield what was done of each.

    Memory bounds how many: what is to be committed of them is held until then.
    """
    waiting: dict[str, Made] = {}
    shapes: dict[str, pa.Schema] = {}
    held = [0] * len(MOST_HELD)
    for name, made in found:
        if isinstance(made, GexlabError):
            yield name, made
            continue
        waiting[name] = replace(made, rows=light(lake, made.rows, shapes))
        if made.rows is not None:
            new = (made.rows.sessions, made.rows.files, made.done.contracts)
            held = [a + b for a, b in zip(held, new, strict=True)]
        if any(a >= most for a, most in zip(held, MOST_HELD, strict=True)):
            yield from _committed(lake, waiting)
            waiting, held = {}, [0] * len(MOST_HELD)
    yield from _committed(lake, waiting)


def _committed(
    lake: Lake, waiting: dict[str, Made]
) -> Iterator[tuple[str, RebuildResult | GexlabError]]:
    failed: GexlabError | None = None
    try:
        with naming_the_lake(lake.root):
            commit_stores([made.rows for made in waiting.values() if made.rows is not None])
    except GexlabError as error:
        failed = error
    for name, made in waiting.items():
        yield name, made.done if failed is None or made.rows is None else failed


def _spec_of(
    lake: Lake, name: str, settings: UnderlyingSettings | None, base: RegimeSpec
) -> tuple[RegimeSpec, Assumed]:
    assumed = assumed_of(lake, name, settings)
    values = assumed.values
    dealer = values.get("dealer", base.dealer)
    positions = Path(values["positions"]) if "positions" in values else base.positions
    if dealer != "signed" and settings is not None and assumed.said_by.get("positions") != "own":
        # those of others, who are signed; its own, which nobody reads, are an error
        positions = None
        assumed = assumed.without(["positions"])
    spec = replace(
        base,
        underlying=name,
        definition=assumed_definition(base.definition, assumed),
        dealer=dealer,
        positions=positions,
        instrument=values.get("instrument", base.instrument),
        calendar=values.get("calendar", base.calendar),
    )
    given = {"dealer": base.dealer, "instrument": base.instrument, "calendar": base.calendar}
    if isinstance(base.definition, Definition):
        given |= {key: getattr(base.definition, key) for key in _RATES}
    written = [key for key in _WRITTEN if key in values]
    held = {"calendar": lake.calendar(name)} | (_held(lake, name, written) if written else {})
    return spec, assumed.without(written).over(given, "command").over(held, "lake")


def _held(lake: Lake, name: str, keys: Sequence[str]) -> dict[str, Any]:
    """Return what the chains of an underlying were written with."""
    facts = lake.facts(name)
    sizes = facts.multiplier
    held = {
        "multiplier": sizes[0].value if len(sizes) == 1 else spells_in_words(sizes) or None,
        "settlement": facts.settlement,
        "monthly": facts.monthly.name,
        "currency": facts.currency or None,
    }
    return {key: held[key] for key in keys}


def regimes_of_many(
    lake: Lake,
    choice: str | Iterable[str],
    *,
    book: Book | None = None,
    dealer_model: str | None = None,
    definition_id: DefinitionChoice = None,
    settings: UnderlyingSettings | str | Path | None = None,
) -> pd.DataFrame:
    """Return the regime rows of several underlyings, each of one definition.

    Without settings all must have the same definition. Underlyings that a pattern fits and that
    have not been rebuilt are named in ``attrs["not_rebuilt"]``.

    Parameters
    ----------
    lake : Lake
    choice : str or iterable of str
        Names with commas, patterns; or names.
    book, dealer_model, definition_id
        As for `regimes`; a dealer model that is left out is that of the settings.
    settings : UnderlyingSettings or path, optional
        Rates and dealer model by underlying, as they were rebuilt with.

    Returns
    -------
    DataFrame

    Raises
    ------
    DefinitionError
        If the definitions differ and no settings say so.
    NotRebuiltError
        If nothing has been rebuilt.
    OutdatedRowsError
        If rows of some are of other chains than there are now: all of these are named.
    """
    import pandas as pd

    from .table import regimes

    if settings is not None and not isinstance(settings, UnderlyingSettings):
        settings = load_underlying_settings(settings)
    names = chosen(choice, lake.underlyings()) if isinstance(choice, str) else list(choice)
    frames: list[pd.DataFrame] = []
    lacking: list[str] = []
    outdated: dict[str, OutdatedRowsError] = {}
    for name in names:
        definition, dealer = definition_id, dealer_model
        if settings is not None:
            assumed = assumed_of(lake, name, settings)
            dealer = dealer or assumed.values.get("dealer")
            definition = _asked(definition_id, assumed)
        try:
            frames.append(
                regimes(lake, name, book=book, dealer_model=dealer, definition_id=definition)
            )
        except NotRebuiltError:
            lacking.append(name)
        except OutdatedRowsError as error:
            outdated[name] = error
    if outdated:
        first, *others = outdated
        more = f"; likewise {', '.join(others)}" if others else ""
        raise OutdatedRowsError(f"{outdated[first]}{more}")
    if not frames:
        raise NotRebuiltError(
            f"{lake.root}: no regimes of {len(lacking)} underlyings have been rebuilt: run gexlab "
            f"rebuild --lake {shlex.quote(str(lake.root))} --underlying '*'"
        )
    if settings is None:
        _require_alike(frames)
    whole = pd.concat(frames, ignore_index=True)
    whole.attrs["not_rebuilt"] = lacking
    return whole


def _asked(definition_id: DefinitionChoice, assumed: Assumed) -> DefinitionChoice:
    """Return the definition that is asked for, with the underlying's own rates."""
    if not any(key in assumed.values for key in (*_RATES, *CURVES)):
        return definition_id
    base = definition_id
    if base is None or base == "default" or str(base).endswith(".toml"):
        base = definition_named("default" if base is None else str(base))
    return assumed_definition(base, assumed) if isinstance(base, Definition) else base


def _require_alike(frames: Sequence[pd.DataFrame]) -> None:
    held: dict[str, list[str]] = {}
    for frame in frames:
        held.setdefault(frame["definition_id"].iloc[-1], []).append(frame["underlying"].iloc[-1])
    if len(held) > 1:
        said = "; ".join(
            f"{key} ({', '.join(n[:3])}{'...' if len(n) > 3 else ''})" for key, n in held.items()
        )
        raise DefinitionError(
            f"the underlyings were rebuilt by {len(held)} definitions: {said}: name one "
            "(--definition), or the settings that say which holds for whom (--settings)"
        )
