# mypy: disable-error-code="no-any-return,attr-defined,operator,arg-type,call-arg"
"""The table of quantities: what each is by pandas alone, and every place that states it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import told_raw as raw
from told_outputs import Outputs, Place

ROWS = {
    "spot",
    "net_gex",
    "gross_gex",
    "net_to_gross",
    "net_dex",
    "net_vex",
    "net_cex",
    "regime",
    "call_wall",
    "call_wall_strength",
    "put_wall",
    "put_wall_strength",
    "pin_strike",
    "pin_strength",
    "concentration",
    "gex_0dte_share",
    "gex_next_expiry_share",
    "gex_next_opex_share",
    "contracts_used",
    "contracts_rejected",
    "oi_rejected_share",
    "quality",
}
ESTIMATORS = {
    "close_to_close": "close to close",
    "parkinson": "Parkinson",
    "garman_klass": "Garman-Klass",
    "rogers_satchell": "Rogers-Satchell",
    "yang_zhang": "Yang-Zhang",
}
DOCUMENTS = ("results.json", "backtest", "nights/results.json")
HEADING = {"today": "same session", "next_1": "next session", "next_5": "next 5"}
#: Parts of the change of net gamma, in the order of the picture.
CHANGES = ("expired", "spot", "time", "volatility", "forwards", "open_interest", "coverage",
           "residual")  # fmt: skip
WORD = {"long": "long gamma", "short": "short gamma"}


@dataclass(frozen=True)
class Quantity:
    """A quantity, its value from the rawest table, and the places that state it."""

    name: str
    expected: Any
    places: list[Place]


@dataclass(frozen=True)
class Facts:
    """The raw tables of a market within its period, and what pandas makes of them."""

    told: Outputs
    monthly: set[Any]

    @cached_property
    def clock(self) -> raw.Clock:
        return raw.Clock(self.told.calendar)

    @cached_property
    def book(self) -> str:
        return str(self.told.config.get("regime", {}).get("book", "post_expiry"))

    @cached_property
    def fill(self) -> str:
        data, execution = self.told.config["data"], self.told.config.get("execution", {})
        usual = "next_close" if data["instrument"] == "index" else "next_open"
        return str(execution.get("fill", usual))

    @cached_property
    def whole(self) -> pd.DataFrame:
        """Regime rows of every session of the lake.

        Of real chains as they were exported: `test_rows_of_real_chains` recomputes those.
        """
        if self.told.real:
            return self._relabelled()
        chains = pd.read_csv(self.told.folder / "chains.csv", parse_dates=["session", "expiry"])
        return raw.regime_rows(chains, self.clock, self.book, self.monthly)

    @cached_property
    def exported(self) -> pd.DataFrame:
        """Rows as the lake has them: the band of a configuration relabels only its own."""
        rows = self.told.frames["regimes"]
        return rows[rows["book"] == self.book].set_index("session")

    def _relabelled(self) -> pd.DataFrame:
        rows = self.exported
        band = self.told.config.get("regime", {}).get("band")
        if band is None:
            return rows
        ratio, kept = rows["net_to_gross"], rows["regime"] == "abstain"
        label = np.where(ratio.abs() < band, "neutral", np.where(ratio > 0, "long", "short"))
        return rows.assign(regime=rows["regime"].where(kept, label))

    @cached_property
    def bars(self) -> pd.DataFrame:
        data, frame = self.told.config["data"], self.told.frames["bars"]
        return frame[
            (frame["session"] >= pd.Timestamp(data.get("start", "1900-01-01")))
            & (frame["session"] <= pd.Timestamp(data.get("end", "2200-01-01")))
        ].reset_index(drop=True)

    @cached_property
    def grid(self) -> pd.DataFrame:
        """Bars of the period by session of the calendar, NaN where one is missing."""
        return self.clock.on_calendar(self.bars.set_index("session"))

    @cached_property
    def rows(self) -> pd.DataFrame:
        """Regime rows of the period."""
        return self.whole.loc[self.bars["session"]]

    @cached_property
    def year(self) -> int:
        return 365 if self.told.calendar == "24/7" else 252

    def own(self, table: str, strategy: str) -> pd.DataFrame:
        frame = self.told.frames[table]
        return frame[frame["strategy"] == strategy].reset_index(drop=True)


def quantities(told: Outputs, monthly: set[Any]) -> Iterator[Quantity]:
    """Yield every quantity of a market."""
    facts = Facts(told, monthly)
    for part in PARTS:
        yield from part(told, facts)


def _data(t: Outputs, f: Facts) -> Iterator[Quantity]:
    n, first, last = len(f.bars), f.bars["session"].iloc[0], f.bars["session"].iloc[-1]

    def everywhere(path: str) -> list[Place]:
        return [t.at(document, path) for document in DOCUMENTS]

    yield Quantity(
        "sessions",
        n,
        [
            *everywhere("data.sessions"),
            *everywhere("data.bars"),
            t.fact("Daily bars"),
            t.fact("Sessions"),
            t.sentence(r"to [\d-]+, (\d+) sessions; "),
            t.sentence(r"(\d+) sessions; (?:all of them pass|[\d.]+ % of them are)"),
            t.printed("backtest", r"^\w+, (\d+) sessions"),
            Place("equity.parquet sessions", t.frames["equity"]["session"].nunique()),
            Place("figure regime, closes", len(t.page.figures["fig-regime"]["close"]["x"])),
        ],
    )
    yield Quantity(
        "sessions of the lake",
        len(f.whole),
        [
            Place("regimes rows", len(t.documents["regimes"])),
            Place("sql rows", len(t.documents["sql"])),
            Place("regimes.parquet", t.frames["regimes"]["session"].nunique()),
            t.at("rebuild", "sessions"),
            t.at("nightly", "rebuilt.sessions"),
            Place("nightly steps", t.documents["nightly"]["steps"][2]["counts"]["sessions"]),
            t.at("diff", "sessions"),
        ],
    )
    for word, day in (("first", first), ("last", last)):
        side = (
            r"^\w+, \d+ sessions from ([\d-]+)" if word == "first" else r"from [\d-]+ to ([\d-]+)"
        )
        pattern = r"pay\? ([\d-]+) to" if word == "first" else r"pay\? [\d-]+ to ([\d-]+)"
        places = [
            *everywhere(f"data.{word}_session"),
            t.printed("backtest", side),
            t.sentence(pattern),
        ]
        if word == "last":
            places += [
                t.sentence(r"dealer gamma report, ([\d-]+)"),
                t.at("nightly", "last_session"),
                t.at("nightly", "session"),
                t.sentence(r"Last session ([\d-]+)\. Net"),
            ]
        yield Quantity(f"{word} session", f"{day:%Y-%m-%d}", places)
    yield Quantity(
        "period in words", f"{first:%Y-%m-%d} to {last:%Y-%m-%d}", [t.fact("Sessions", note=True)]
    )
    lacking = f.clock.between(first, last) - n
    yield Quantity(
        "missing bars",
        lacking,
        [
            *everywhere("data.bars_missing"),
            t.fact("Sessions without a bar"),
        ],
    )
    for path, label in (
        ("bars_not_sessions", "Bars on no session"),
        ("intraday_sessions", "Sessions with intraday bars"),
    ):
        yield Quantity(path, 0, [*everywhere(f"data.{path}"), t.fact(label)])
    yield Quantity(
        "bad bars", 0, [*everywhere("data.bars_bad"), *everywhere("data.intraday_bad_sessions")]
    )
    yield Quantity(
        "calendar",
        t.calendar,
        [
            *everywhere("data.calendar"),
            Place("fact Daily bars", t.page.notes["Daily bars"].removesuffix(" calendar"), True),
        ],
    )
    yield Quantity(
        "underlying",
        t.config["data"]["underlying"],
        [
            *everywhere("data.underlying"),
            t.fact("Underlying"),
            t.at("profile", "regime.underlying"),
            t.at("explain", "regime.underlying"),
            t.at("sql", "0.underlying"),
            t.at("regimes", "0.underlying"),
            t.printed("backtest", r"^(\w+), \d+ sessions"),
            t.sentence(r"^(\w+) dealer gamma report"),
        ],
    )
    kind = t.config["data"]["instrument"]
    yield Quantity(
        "instrument", kind, [*everywhere("data.instrument"), t.fact("Underlying", note=True)]
    )
    yield Quantity(
        "currency",
        {"XTAI": "TWD", "XLON": "GBP", "XBOM": "INR", "24/7": "USD"}.get(t.calendar, "USD"),
        everywhere("data.currency"),
    )
    yield Quantity("simulated", False, everywhere("data.simulated"))
    yield Quantity(
        "sessions a year",
        f.year,
        [
            *everywhere("data.sessions_per_year"),
            t.sentence(r"annualised with (\d+) sessions, no risk-free"),
            t.sentence(r"volatilities are annualised with (\d+) sessions"),
            t.cell("tab-definitions", "Returns", "Meaning here").__class__(
                "table tab-definitions Returns",
                t.cell("tab-definitions", "Returns", "Meaning here").value.rpartition(";")[2],
                True,
            ),
        ],
    )
    level = t.config["inference"]["level"]
    yield Quantity(
        "level of the intervals",
        level,
        [
            *everywhere("provenance.level"),
            t.sentence(r"Sharpe ratio [^(]*\(([\d.]+) % interval", 100.0),
            t.sentence(r"Intervals are ([\d.]+) % and", 100.0),
            t.sentence(r"Bars are ([\d.]+) % intervals", 100.0),
            t.printed("backtest", r"strategy +Sharpe +([\d.]+) % interval", 100.0),
            *(
                Place(
                    f"heading of {name}",
                    next(str(c) for c in frame.columns if "interval" in str(c)),
                    True,
                    100.0,
                )
                for name, frame in t.page.tables.items()
                if any("interval" in str(c) for c in frame.columns)
            ),
        ],
    )
    how = t.config["inference"]
    yield Quantity(
        "resamples",
        how["bootstrap"],
        everywhere("provenance.bootstrap"),
    )
    yield Quantity(
        "mean block",
        10,
        everywhere("provenance.block"),
    )
    yield Quantity(
        "seed", 7, [*everywhere("provenance.seed"), t.cell("tab-provenance", "seed", "Value")]
    )


def _identity(t: Outputs, f: Facts) -> Iterator[Quantity]:
    spec = t.documents["rebuild"]["definition_id"]
    yield Quantity(
        "definition",
        spec,
        [
            t.at("results.json", "provenance.definition_id"),
            t.at("results.json", "regime.definition_id"),
            t.at("backtest", "provenance.definition_id"),
            t.at("nights/results.json", "regime.definition_id"),
            t.at("nights/results.json", "provenance.definition_id"),
            t.at("profile", "regime.definition_id"),
            t.at("explain", "regime.definition_id"),
            t.at("sql", "0.definition_id"),
            t.at("regimes", "0.definition_id"),
            t.at("nightly", "rebuilt.definition_id"),
            t.at("nightly", "definition_id"),
            t.at("leakcheck", "definition_id"),
            t.at("diff", "first_id"),
            t.at("test", "0.definition_id"),
            t.fact("Definition"),
            t.cell("tab-provenance", "definition", "Value"),
            t.printed("backtest", r"^definition (\w+)"),
        ],
    )
    said = t.documents["results.json"]["provenance"]
    yield Quantity(
        "content id",
        said["content_id"],
        [
            t.at("backtest", "provenance.content_id"),
            t.at("test", "0.content_id"),
            t.cell("tab-provenance", "content id", "Value"),
        ],
    )
    yield Quantity(
        "trials",
        len(t.documents["results.json"]["strategies"]),
        [
            t.at("results.json", "provenance.trials"),
            t.at("backtest", "provenance.trials"),
            t.fact("Strategies"),
            t.cell("tab-provenance", "trials", "Value"),
            t.sentence(r"for the (\d+) trials of this run"),
            Place("test, in words", t.documents["test"][0]["reason"].rpartition(" with ")[2], True),
            Place("rows of the table", len(t.page.tables["tab-metrics"])),
        ],
    )
    for key in ("gexlab", "config_sha256"):
        row = {"gexlab": "gexlab", "config_sha256": "configuration, SHA-256"}[key]
        yield Quantity(
            key,
            str(said[key]),
            [t.at("backtest", f"provenance.{key}"), t.cell("tab-provenance", row, "Value")],
        )
    for i, each in enumerate(said["inputs"]):
        name = "input " + each["path"].rpartition("/")[2]
        yield Quantity(
            name,
            each["sha256"],
            [
                t.at("backtest", f"provenance.inputs.{i}.sha256"),
                t.cell("tab-provenance", name, "Value"),
            ],
        )
    for name, version in said["versions"].items():
        yield Quantity(
            f"version of {name}",
            version,
            [
                t.at("backtest", f"provenance.versions.{name}"),
                t.cell("tab-provenance", f"{name} version", "Value"),
            ],
        )


def _regimes(t: Outputs, f: Facts) -> Iterator[Quantity]:
    counts = f.rows["regime"].value_counts()
    n = len(f.rows)
    for label in ("long", "short", "neutral", "abstain"):
        many = int(counts.get(label, 0))
        name = WORD.get(label, label)
        yield Quantity(
            f"sessions of {label}",
            many,
            [
                *(t.at(d, f"regime.counts.{label}") for d in DOCUMENTS),
                t.cell("tab-regimes", name, "Sessions"),
                *([t.fact("Sessions that abstain")] if label == "abstain" else []),
            ],
        )
        if label == "abstain" and many:
            yield Quantity(
                "share without a regime",
                many / n,
                [t.sentence(r"sessions; ([\d.]+ %) of them are left without a regime", 100.0)],
            )
        yield Quantity(f"share of {label}", many / n, [t.cell("tab-regimes", name, "Share", 100.0)])
        if label in ("long", "short") and many < 30:
            yield Quantity(
                f"few {label} sessions",
                many,
                [
                    t.cell("tab-quality", f"few {label} sessions", "Count"),
                    t.printed("backtest", rf"only (\d+) sessions? of {label} gamma"),
                ],
            )
    below = (f.rows["net_gex"] < 0).groupby(pd.DatetimeIndex(f.rows.index).year).mean()
    for year, share in below.items():
        yield Quantity(
            f"negative share of {year}",
            float(share),
            [
                t.at("results.json", f"regime.negative_share_by_year.{year}"),
                t.at("backtest", f"regime.negative_share_by_year.{year}"),
                t.cell("tab-years", str(year), "Share", 100.0),
            ],
        )
    stored = t.frames["regimes"]
    stored = stored[stored["book"] == f.book].set_index("session")
    for column in sorted(ROWS | {"valuation_ts", "known_at", "oi_asof"}):
        expected = (f.exported if f.told.real else f.whole)[column].tolist()
        stated = [Place(f"regimes.parquet {column}", stored[column].tolist())]
        if column in ROWS:
            stated += [
                Place(f"{d} *.{column}", [row[column] for row in t.documents[d]])
                for d in ("regimes", "sql")
            ]
        yield Quantity(f"{column} of every session", expected, stated)
    yield Quantity(
        "book",
        f.book,
        [
            t.at("results.json", "regime.book"),
            t.at("backtest", "regime.book"),
            t.at("profile", "regime.book"),
            t.at("explain", "regime.book"),
            t.fact("Regime", note=True),
            t.sentence(r"\w+ dealers, (\w+) book"),
            t.printed("backtest", r"dealers, (\w+) book"),
            Place("regime, in words", t.documents["results.json"]["regime"]["name"].split()[-2]),
        ],
    )
    yield Quantity(
        "dealer model",
        t.config.get("regime", {}).get("dealer_model", "naive"),
        [
            t.at("results.json", "regime.dealer_model"),
            t.at("backtest", "regime.dealer_model"),
            t.at("profile", "regime.dealer_model"),
            t.at("explain", "regime.dealer_model"),
            t.cell("tab-definitions", "Dealer model", "Meaning here"),
            t.printed("backtest", r", (\w+) dealers"),
        ],
    )


def _scaled(amount: float) -> tuple[float, str]:
    """Return the factor and the word by which an amount is shown."""
    size = abs(amount)
    steps = ((1e12, "tn"), (1e9, "bn"), (1e6, "mm"), (1e3, "k"))
    return next(((1.0 / one, word) for one, word in steps if size >= one), (1.0, ""))


def _last_session(t: Outputs, f: Facts) -> Iterator[Quantity]:
    row = f.rows.iloc[-1]
    for column in sorted(ROWS):
        value = row[column] if isinstance(row[column], str) else float(row[column])
        yield Quantity(
            f"{column} of the last session",
            value,
            [
                t.at("profile", f"regime.{column}"),
                t.at("explain", f"regime.{column}"),
            ],
        )
    regime, gross = row["regime"], float(row["gross_gex"])
    scale, unit = _scaled(row["net_gex"])
    net = t.fact("Net GEX", scale)
    yield Quantity(
        "net GEX on the page",
        float(row["net_gex"]),
        [
            net,
            t.sentence(r"Net GEX (\S+) (?:k|mm|bn|tn) of delta", scale),
        ],
    )
    yield Quantity("unit of net GEX", unit, [Place("fact Net GEX, unit", net.value.split()[-1])])
    yield Quantity(
        "regime on the page",
        str(regime).replace("long", "long gamma").replace("short", "short gamma"),
        [t.fact("Regime")],
    )
    yield Quantity("regime at night", regime, [t.at("nightly", "regime")])
    yield Quantity("spot at night", float(row["spot"]), [t.at("nightly", "spot")])
    yield Quantity(
        "flip at night", t.documents["profile"]["regime"]["flip"], [t.at("nightly", "flip")]
    )
    yield Quantity("quality at night", "ok", [t.at("nightly", "quality")])
    for label, column, factor in (
        ("Net / gross", "net_to_gross", 1.0),
        ("Spot", "spot", 1.0),
        ("Call wall", "call_wall", 1.0),
        ("Put wall", "put_wall", 1.0),
        ("Pin strike", "pin_strike", 1.0),
        ("0DTE share", "gex_0dte_share", 100.0),
        ("Next monthly", "gex_next_opex_share", 100.0),
        ("Contracts", "contracts_used", 1.0),
    ):
        yield Quantity(f"{column} on the page", float(row[column]), [t.fact(label, factor)])
    for label, column in (
        ("Call wall", "call_wall_strength"),
        ("Put wall", "put_wall_strength"),
        ("Pin strike", "pin_strength"),
        ("Contracts", "oi_rejected_share"),
    ):
        if np.isfinite(row[column]):
            yield Quantity(
                f"{column} on the page", float(row[column]), [t.fact(label, 100.0, note=True)]
            )
    yield Quantity(
        "gross GEX on the page", gross, [t.fact("Net / gross", _scaled(gross)[0], note=True)]
    )
    yield from _before(t, f)
    moment = f"valued {row['valuation_ts']:%Y-%m-%d %H:%M} UTC"
    yield Quantity("moment of valuation", moment, [t.fact("Spot", note=True)])
    flip = t.documents["profile"]["regime"]["flip"]
    roots = t.documents["profile"]["roots"]
    nearest = (
        min(roots, key=lambda r: abs(np.log(r["level"] / row["spot"])))["level"] if roots else None
    )
    yield Quantity(
        "flip of the last session",
        nearest,
        [
            t.at("explain", "regime.flip"),
            t.at("profile", "regime.flip"),
            t.fact("Flip"),
            t.at("sql", f"{len(f.whole) - 1}.flip")
            if f.rows.index[-1] == f.whole.index[-1]
            else Place("profile, itself", flip),
        ],
    )
    agree = t.documents["profile"]["regime"]["definition_agreement"]
    yield Quantity(
        "definitions that agree",
        agree,
        [
            t.fact("Definitions agree", 100.0),
            t.at("explain", "regime.definition_agreement"),
        ],
    )
    curve = t.documents["profile"]["profile"]
    here = next(p for p in curve if abs(p["level"] / row["spot"] - 1.0) < 1e-12)
    for key, value in (("net_gex", float(row["net_gex"])), ("gross_gex", gross)):
        yield Quantity(
            f"{key} of the last session, again",
            value,
            [
                Place(f"profile at spot, {key}", here[key]),
                *(
                    Place(f"{d} {k}[].{key}", sum(c[key] for c in t.documents[d][k]))
                    for d, k in (
                        ("profile", "strikes"),
                        ("explain", "contracts"),
                        ("profile", "expiries"),
                        ("explain", "expiries"),
                    )
                ),
                t.at("explain", f"time_structure.today.{key}"),
            ],
        )
    bars = t.page.figures["fig-profile"]
    unit = next(u for u in ("bn", "mm", "") if f"{u} per 1 %" in bars["calls"]["hovertemplate"])
    in_unit = {"bn": 1e9, "mm": 1e6, "": 1.0}[unit]
    drawn = in_unit * (sum(bars["calls"]["y"]) + sum(bars["puts"]["y"]))
    yield Quantity(
        "net GEX of the bars",
        round(float(row["net_gex"]) / gross, 4),
        [
            Place("figure fig-profile calls", round(drawn / gross, 4)),
            Place("figure fig-profile puts", round(drawn / gross, 4)),
        ],
    )


def _before(t: Outputs, f: Facts) -> Iterator[Quantity]:
    """What stands beside the last session's numbers: the previous ones and their percentiles."""
    for label, column, factor, ranked in (
        ("Net GEX", "net_gex", 0.0, True),
        ("Net / gross", "net_to_gross", 1.0, True),
        ("Spot", "spot", 1.0, False),
        ("Call wall", "call_wall", 1.0, False),
        ("Put wall", "put_wall", 1.0, False),
        ("Pin strike", "pin_strike", 1.0, False),
        ("0DTE share", "gex_0dte_share", 100.0, True),
        ("Next monthly", "gex_next_opex_share", 100.0, True),
    ):
        said = t.page.beside[label]
        until = f.whole.index <= f.rows.index[-1]
        year = f.whole.loc[until, column].to_numpy(dtype=float)[-f.year :]
        before = float(year[-2]) if len(year) > 1 else float("nan")
        scale = factor or _scaled(before)[0]
        shown = said.partition("before: ")[2].partition(";")[0]
        yield Quantity(f"{column} before", before, [Place(f"beside {label}", shown, True, scale)])
        if ranked:
            known = year[np.isfinite(year)]
            rank = float(100.0 * (known <= year[-1]).mean())
            text = said.partition("percentile ")[2]
            yield Quantity(
                f"percentile of {column}",
                rank,
                [Place(f"percentile {label}", text.partition(" of ")[0], True)],
            )
            yield Quantity(
                f"sessions behind the percentile of {column}",
                known.size,
                [Place(f"percentile {label}, of", text.partition(" of ")[2], True)],
            )
    row = f.rows.iloc[-1]
    band = float(t.config.get("regime", {}).get("band", 0.02))
    away = abs(float(row["net_to_gross"])) - band
    yield Quantity("beyond the band", away, [t.fact("Beyond the neutral band")])
    flip = t.documents["profile"]["regime"]["flip"]
    above = float("nan") if flip is None else float(np.log(row["spot"] / flip))
    yield Quantity("spot above flip", above, [t.fact("Spot above flip", 100.0)])
    trials = t.documents["results.json"]["provenance"]["trial_numbers"]
    most = max(trials.values(), default=float("nan"))
    yield Quantity("trials on these data", most, [t.fact("Trials on these data")])
    yield from _ahead(t)
    yield from _after_each_regime(t, f)


def _ahead(t: Outputs) -> Iterator[Quantity]:
    """The change since the previous session, and the book without what expires next."""
    said = t.documents["explain"]
    if said["change"] is not None:
        drawn = t.page.figures["fig-change"]["None"]
        unit = next(u for u in ("bn", "mm", "") if f"{u} per 1 %" in drawn["hovertemplate"])
        scale = {"bn": 1e-9, "mm": 1e-6, "": 1.0}[unit]
        parts = [said["change"]["before"], *(said["change"][p] for p in CHANGES)]
        yield Quantity(
            "parts of the change",
            [float(f"{scale * x:.6g}") for x in [*parts, said["change"]["after"]]],
            [Place("figure fig-change None", drawn["x"])],
        )
    structure = said["time_structure"]
    shown = t.page.tables["tab-next"]
    states = {"now": structure["today"]}
    for row in shown["Book"].tolist()[1:]:
        monthly = row.endswith("monthly")
        states[row] = structure["after_next_monthly" if monthly else "after_next_expiration"]
    for row, state in states.items():
        scale, _ = _scaled(state["net_gex"])
        yield Quantity(
            f"net GEX, {row}", state["net_gex"], [t.cell("tab-next", row, "Net GEX", scale)]
        )
        for key, column in (("net_to_gross", "Net / gross"), ("flip", "Flip")):
            yield Quantity(f"{key}, {row}", state[key], [t.cell("tab-next", row, column)])


def _after_each_regime(t: Outputs, f: Facts) -> Iterator[Quantity]:
    named = re.search(r"% interval, (.+?)\)\. Does", t.page.text)
    chosen = [k for k, words in ESTIMATORS.items() if named is not None and words == named[1]]
    for regime in ("long", "short"):
        for name in chosen:
            cell = raw.volatility(f.grid, f.rows["regime"] == regime, name, f.year)
            for key, column, scale in (
                ("next_1", "Next volatility", 100.0),
                ("n_next_1", "Sessions", 1.0),
            ):
                place = t.cell("tab-worth", WORD[regime], column, scale)
                yield Quantity(f"{key} after {regime}", cell[key], [place])


def _strategies(t: Outputs, f: Facts) -> Iterator[Quantity]:
    cash = 1e6
    columns = {
        "sharpe": ("Sharpe", 1.0),
        "cagr": ("CAGR", 100.0),
        "volatility": ("Volatility", 100.0),
        "max_drawdown": ("Max. drawdown", 100.0),
        "turnover": ("Turnover", 1.0),
        "exposure": ("Exposure", 100.0),
        "trades": ("Trades", 1.0),
    }
    for name in t.documents["results.json"]["strategies"]:
        equity, orders, trades = (f.own(k, name) for k in ("equity", "orders", "trades"))
        own = raw.metrics(equity, orders, trades, f.year, f.clock)
        for metric, value in own.items():
            if metric == "held":
                continue
            places = [t.at(d, f"strategies.{name}.{metric}") for d in DOCUMENTS]
            if metric in columns:
                column, scale = columns[metric]
                places.append(t.cell("tab-metrics", name, column, scale))
            yield Quantity(f"{metric} of {name}", value, places)
        yield Quantity(
            f"Sharpe ratio of {name}, printed",
            own["sharpe"],
            [
                t.printed("backtest", rf"^{name} +(\S+)"),
            ],
        )
        for side in ("low", "high"):
            which = 0 if side == "low" else 1
            said = t.documents["results.json"]["strategies"][name][f"sharpe_{side}"]
            column = next(c for c in t.page.tables["tab-metrics"].columns if "interval" in str(c))
            text = t.cell("tab-metrics", name, str(column)).value.strip("[]").split(", ")[which]
            yield Quantity(
                f"Sharpe {side} of {name}",
                said,
                [
                    Place(f"table tab-metrics {name} interval {side}", text, True),
                    t.at("backtest", f"strategies.{name}.sharpe_{side}"),
                    t.at("nights/results.json", f"strategies.{name}.sharpe_{side}"),
                ],
            )
        sessions = pd.Index(f.bars["session"])
        built = raw.rebuilt_equity(orders, f.bars, sessions, cash)
        yield Quantity(
            f"equity of {name}",
            built.tolist(),
            [Place("equity.parquet equity", equity["equity"].tolist())],
        )
        yield Quantity(
            f"returns of {name}",
            built.pct_change().iloc[1:].tolist(),
            [Place("equity.parquet return", equity["return"].iloc[1:].tolist())],
        )
        held = orders.set_index("session")["size"].reindex(sessions).fillna(0.0).cumsum()
        close = f.bars.set_index("session")["close"]
        yield Quantity(
            f"positions of {name}",
            (held * close / built).tolist(),
            [Place("equity.parquet position", equity["position"].tolist())],
        )
        yield from _orders(t, f, name, orders, trades, float(built.iloc[-1] - cash))
        line = t.page.figures["fig-equity"][name]["y"]
        yield Quantity(
            f"line of {name}",
            [float(f"{x:.6g}") for x in built / cash],
            [Place(f"figure fig-equity {name}", line)],
        )
    test, main = t.documents["test"][0], next(iter(t.documents["results.json"]["strategies"]))
    told = raw.metrics(*(f.own(k, main) for k in ("equity", "orders", "trades")), f.year, f.clock)
    yield Quantity(
        "Sharpe ratio of the main strategy",
        told["sharpe"],
        [
            t.at("test", "0.estimate"),
            t.at("hypotheses.json", "0.estimate"),
            Place("test, in words", test["reason"], True),
            t.sentence(r"Sharpe ratio (\S+) \["),
            t.printed("backtest", r"Sharpe ratio (\S+) \["),
        ],
    )
    yield Quantity(
        "returns of the main strategy",
        told["n"],
        [
            t.at("test", "0.n"),
            t.at("hypotheses.json", "0.n"),
            t.sentence(r"interval\) over (\d+) sessions, net of costs"),
            Place("test, n in words", test["reason"].partition("over ")[2], True),
        ],
    )


def _orders(
    t: Outputs, f: Facts, name: str, orders: pd.DataFrame, trades: pd.DataFrame, gain: float
) -> Iterator[Quantity]:
    execution = t.config.get("execution", {})
    bars, sessions = f.bars.set_index("session"), pd.Index(f.bars["session"])
    at, slip = (
        "open" if f.fill == "next_open" else "close",
        execution.get("slippage_bps", 0.0) * 1e-4,
    )
    price = bars[at].reindex(orders["session"]).to_numpy()
    size = orders["size"].to_numpy()
    paid = price * (1.0 + np.sign(size) * slip)
    yield Quantity(
        f"prices of {name}",
        paid.tolist(),
        [Place("orders.parquet price", orders["price"].tolist())],
    )
    fees = np.abs(size) * (
        paid * execution.get("fees_bps", 0.0) * 1e-4 + execution.get("fixed_per_share", 0.0)
    )
    yield Quantity(
        f"fees of {name}", fees.tolist(), [Place("orders.parquet fees", orders["fees"].tolist())]
    )
    decided = sessions[sessions.get_indexer(pd.Index(orders["session"])) - 1]
    yield Quantity(
        f"decisions of {name}",
        decided.tolist(),
        [Place("orders.parquet decided", orders["decided"].tolist())],
    )
    when = f.clock.opens if f.fill == "next_open" else f.clock.closes
    yield Quantity(
        f"moments of {name}",
        when.reindex(orders["session"]).tolist(),
        [Place("orders.parquet fill_ts", orders["fill_ts"].tolist())],
    )
    regime = f.rows["regime"].reindex(decided)
    yield Quantity(
        f"regimes of the orders of {name}",
        regime.tolist(),
        [Place("orders.parquet regime", orders["regime"].tolist())],
    )
    if name == "fade-long-follow-short":
        closes = t.frames["bars"].set_index("session")["close"]
        target = raw.main_target(f.whole["regime"].reindex(closes.index), closes)
        yield Quantity(
            f"targets of {name}",
            target.reindex(decided).tolist(),
            [Place("orders.parquet target", orders["target"].tolist())],
        )
        yield Quantity(
            f"labels of {name}",
            regime.tolist(),
            [Place("orders.parquet label", orders["label"].tolist())],
        )
    sign = np.where(trades["direction"] == "long", 1.0, -1.0)
    pnl = sign * trades["size"] * (trades["exit_price"] - trades["entry_price"]) - trades["fees"]
    yield Quantity(
        f"results of the trades of {name}",
        pnl.tolist(),
        [Place("trades.parquet pnl", trades["pnl"].tolist())],
    )
    yield Quantity(
        f"gain of {name}",
        round(gain, 4),
        [Place("trades.parquet pnl, added up", round(float(trades["pnl"].sum()), 4))],
    )
    yield Quantity(
        f"fees of the trades of {name}",
        round(float(fees.sum()), 4),
        [Place("trades.parquet fees", round(float(trades["fees"].sum()), 4))],
    )
    yield Quantity(
        f"returns of the trades of {name}",
        (pnl / (trades["entry_price"] * trades["size"])).tolist(),
        [Place("trades.parquet return", trades["return"].tolist())],
    )


def _by_regime(t: Outputs, f: Facts) -> Iterator[Quantity]:
    main = next(iter(t.documents["results.json"]["strategies"]))
    for name in t.documents["results.json"]["strategies"]:
        equity = f.own("equity", name).set_index("session")
        label = raw.label_in_force(f.rows["regime"], f.fill)
        money = equity["equity"].pct_change()
        returns = money.where(f.clock.follows(equity.index))  # over a hole it is no session's
        for regime in ("long", "short", "neutral"):
            hit = returns[(label == regime) & returns.notna()]
            grown = (1.0 + money[(label == regime) & money.notna()]).prod() - 1.0
            if hit.empty:
                continue
            spread = hit.std(ddof=1)
            sharpe = float(hit.mean() / spread * np.sqrt(f.year)) if spread > 1e-12 else np.nan
            for key, value, column, scale in (
                ("sessions", len(hit), "Sessions", 1.0),
                ("mean_bps", float(hit.mean()) * 1e4, "Mean return", 1.0),
                ("sharpe", sharpe, "Sharpe", 1.0),
                ("total_return", float(grown), "Total return", 100.0),
            ):
                places = [t.at(d, f"strategies.{name}.by_regime.{regime}.{key}") for d in DOCUMENTS]
                if name == main:
                    row = WORD.get(regime, regime)
                    places.append(t.cell("tab-by-regime", row, column, scale))
                    if key in ("mean_bps", "sharpe"):
                        places.append(t.cell("tab-worth", row, column, scale))
                yield Quantity(f"{key} of {name} in {regime}", value, places)


def _tables(t: Outputs, f: Facts) -> Iterator[Quantity]:
    main = next(iter(t.documents["results.json"]["strategies"]))
    own, shown = f.own("trades", main), t.page.tables["tab-trades"]
    newest = own.iloc[::-1].head(len(shown))
    for column, key, scale in (
        ("Shares", "size", 1.0),
        ("Entry", "entry_price", 1.0),
        ("Exit", "exit_price", 1.0),
        ("Fees", "fees", 1.0),
        ("Result", "pnl", 1.0),
        ("Return", "return", 100.0),
    ):
        heading = next((c for c in shown.columns if str(c).startswith(column)), None)
        if heading is None:
            continue
        for i, (value, text) in enumerate(zip(newest[key], shown[heading], strict=True)):
            yield Quantity(
                f"{key} of trade {i}",
                float(value),
                [Place(f"table tab-trades {column}", text, True, scale)],
            )
    yield Quantity(
        "opened",
        [f"{d:%Y-%m-%d}" for d in newest["opened"]],
        [Place("table tab-trades Opened", shown["Opened"].tolist())],
    )


def _volatilities(t: Outputs, f: Facts) -> Iterator[Quantity]:
    label = f.rows["regime"]
    quartile = pd.qcut(f.rows["net_gex"], 4, labels=False)
    for name, words in ESTIMATORS.items():
        own = {r: raw.volatility(f.grid, label == r, name, f.year) for r in ("long", "short")}
        if (label == "neutral").any():
            own["neutral"] = raw.volatility(f.grid, label == "neutral", name, f.year)
        for regime, cell in own.items():
            row = f"{words} {WORD.get(regime, regime)}"
            for key, value in cell.items():
                places = [t.at(d, f"volatility.{name}.{regime}.{key}") for d in DOCUMENTS]
                if key in HEADING:
                    places.append(t.cell("tab-volatility", row, HEADING[key], 100.0))
                elif key == "n":
                    places.append(t.cell("tab-volatility", row, "Sessions"))
                yield Quantity(f"{name} of {regime}, {key}", value, places)
            if regime in WORD:
                trace = t.page.figures["fig-volatility"][WORD[regime]]
                value = trace["x"][trace["y"].index(words)]
                yield Quantity(
                    f"{name} of {regime} in the figure",
                    float(f"{100.0 * cell['next_1']:.6g}"),
                    [Place(f"figure fig-volatility {WORD[regime]}", value)],
                )
        for q in range(4):
            for key, value in raw.volatility(f.grid, quartile == q, name, f.year).items():
                yield Quantity(
                    f"{name} of quartile {q + 1}, {key}",
                    value,
                    [t.at(d, f"volatility_by_quantile.{name}.{q}.{key}") for d in DOCUMENTS],
                )
        yield from _ratios(t, name, words, own["short"], own["long"])


def _ratios(
    t: Outputs, name: str, words: str, short: dict[str, Any], long: dict[str, Any]
) -> Iterator[Quantity]:
    for horizon in raw.HORIZONS:
        n = "n" if horizon == "today" else f"n_{horizon}"
        at = f"volatility_ratio.{name}.{horizon}"
        for key, value in (
            ("value", short[horizon] / long[horizon]),
            ("n_short", short[n]),
            ("n_long", long[n]),
            ("n", short[n] + long[n]),
        ):
            places = [t.at(d, f"{at}.{key}") for d in DOCUMENTS]
            if key == "value" and horizon in HEADING:
                places.append(t.cell("tab-ratios", words, HEADING[horizon]))
            yield Quantity(f"{name} ratio, {horizon}, {key}", value, places)
    trace = t.page.figures["fig-ratio"]["short / long"]
    yield Quantity(
        f"{name} ratio in the figure",
        float(f"{short['next_1'] / long['next_1']:.6g}"),
        [Place("figure fig-ratio short / long", trace["x"][trace["y"].index(words)])],
    )


def _moves(t: Outputs, f: Facts) -> Iterator[Quantity]:
    move = np.log(f.grid["close"]).diff()
    regime_of = f.rows["regime"].reindex(f.grid.index)
    value = f.rows["net_gex"].reindex(f.grid.index).where(move.shift(-1).notna())
    groups = pd.qcut(value, 4, labels=False)
    spread = [100.0 * float(move.shift(-1)[groups == q].std(ddof=1)) for q in range(4)]
    row = t.page.tables["tab-quantiles"].iloc[0].tolist()
    if "tab-magnitude" in t.page.tables:  # S&P 500 alone: $400 bn are traded a day
        for q in range(4):
            net = float(f.rows["net_gex"].reindex(groups.index)[groups == q].mean())
            for column, shown, factor in (
                ("Mean net GEX", net, _scaled(net)[0]),
                ("Change of volatility by hedging alone", 1.0 / (1.0 + net / 400e9) - 1.0, 100.0),
                ("S.d. of next return", spread[q], 1.0),
            ):
                yield Quantity(
                    f"{column} of quartile {q + 1}",
                    shown,
                    [t.cell("tab-magnitude", str(q + 1), column, factor)],
                )
    for q in range(4):
        yield Quantity(
            f"s.d. of quartile {q + 1}",
            spread[q],
            [
                *(t.at(d, f"next_return_sd_by_quantile.{q}") for d in DOCUMENTS),
                Place(f"table tab-quantiles by regime value {q}", row[q + 1], True),
                Place(
                    "figure fig-quantiles by regime value",
                    f"{t.page.figures['fig-quantiles']['by regime value']['y'][q]:.3f}",
                    True,
                ),
                t.printed(
                    "backtest",
                    r"^regime value, lowest first" + r" +([\d.]+)" * 1
                    if q == 0
                    else r"^regime value, lowest first" + r" +[\d.]+" * q + r" +([\d.]+)",
                ),
            ],
        )
    for regime in ("long", "short"):
        pairs = pd.DataFrame({"a": move, "b": move.shift(-1)})[regime_of == regime].dropna()
        lag = float(pairs["a"].corr(pairs["b"])) if len(pairs) > 2 else np.nan
        with_interval = re.search(rf"{regime} gamma \S+ \[[^\]]*\] \(", t.page.text) is not None
        yield Quantity(
            f"autocorrelation in {regime}",
            lag,
            [
                t.at("results.json", f"autocorrelation.{regime}.lag1"),
                t.at("backtest", f"autocorrelation.{regime}.lag1"),
                t.cell("tab-autocorrelation", WORD[regime], "Lag 1"),
                *(
                    [
                        t.sentence(rf"{regime} gamma (\S+) \[[^\]]*\] \(\d+ sessions"),
                        t.printed("backtest", rf"{regime} gamma\s+(\S+)\s+\["),
                    ]
                    if with_interval
                    else []
                ),
            ],
        )
        yield Quantity(
            f"pairs in {regime}",
            len(pairs),
            [
                t.at("results.json", f"autocorrelation.{regime}.n"),
                t.cell("tab-autocorrelation", WORD[regime], "Sessions"),
                *(
                    [t.sentence(rf"{regime} gamma \S+ \[[^\]]*\] \((\d+) sessions")]
                    if with_interval
                    else []
                ),
            ],
        )
        bars = f.bars.set_index("session")[f.rows["regime"] == regime]
        path = (
            np.log(bars["close"] / bars["open"]).abs() / np.log(bars["high"] / bars["low"])
        ).mean()
        yield Quantity(
            f"efficiency in {regime}",
            float(path),
            [
                t.at("results.json", f"range_efficiency.{regime}.value"),
                t.at("backtest", f"range_efficiency.{regime}.value"),
                t.cell("tab-efficiency", WORD[regime], "Efficiency"),
            ],
        )


def _figures(t: Outputs, f: Facts) -> Iterator[Quantity]:
    close = t.page.figures["fig-regime"]["close"]
    yield Quantity(
        "closes",
        [float(f"{x:.6g}") for x in f.bars["close"]],
        [Place("figure fig-regime close", close["y"])],
    )
    yield Quantity(
        "days",
        [f"{d:%Y-%m-%d}" for d in f.bars["session"]],
        [Place("figure fig-regime close", close["x"])],
    )
    value = t.page.figures["fig-regime"]["value"]
    ratio = [float(f"{x:.6g}") for x in f.rows["net_to_gross"]]
    yield Quantity(
        "value that the label comes from", ratio, [Place("figure fig-regime value", value["y"])]
    )
    words = [WORD.get(r, r) for r in f.rows["regime"]]
    yield Quantity("labels", words, [Place("figure fig-regime value", value["text"])])
    many = t.contracts.reindex(f.bars["session"]).tolist()
    yield Quantity(
        "contracts by session",
        many,
        [Place("figure fig-coverage contracts", t.page.figures["fig-coverage"]["contracts"]["y"])],
    )


def _findings(t: Outputs, f: Facts) -> Iterator[Quantity]:
    notices = t.documents["results.json"]["notices"]
    for place in ("backtest", "nights/results.json"):
        yield Quantity(f"notices of {place}", notices, [t.at(place, "notices")])
    warnings = sum(n["severity"] in ("warning", "error") for n in notices)
    yield Quantity(
        "warnings",
        warnings,
        [
            t.sentence(r"(\d+) warnings? below"),
            Place("terminal warnings", t.terminal["backtest"].count("\nwarning: ")),
            Place(
                "rows of tab-quality",
                int(t.page.tables["tab-quality"]["Severity"].isin(["warning", "error"]).sum()),
            ),
        ],
    )
    data = t.config["data"]
    first, last = (str(data.get(k, d)) for k, d in (("start", ""), ("end", "9999")))
    found = [
        x
        for x in t.documents["check"]
        if x["session"] is None or first <= x["session"][:10] <= last
    ]
    name = "finding"
    shown = t.page.tables["tab-lake-findings"].set_index("Check")
    for check in sorted({x[name] for x in found}):
        days = {x["session"] for x in found if x[name] == check and x["session"]}
        if days:
            yield Quantity(
                f"sessions of {check}",
                len(days),
                [
                    Place(
                        f"table tab-lake-findings {check}",
                        shown.loc[check.replace("_", " "), "Sessions"],
                        True,
                    )
                ],
            )
    told = [n for n in notices if n["code"] == "chain_findings"]
    if told:
        grave = sum(x["severity"] != "info" for x in found)
        yield Quantity(
            "errors and warnings of the chains",
            grave,
            [
                Place("results.json notices, chain_findings", told[0]["count"]),
                t.cell("tab-quality", "chain findings", "Count"),
                t.printed("backtest", r"found (\d+)\s+errors"),
            ],
        )


def _twins(t: Outputs, f: Facts) -> Iterator[Quantity]:
    """Yield documents that say the same things as each other, whole."""
    said = t.documents
    whole = {k: v for k, v in said["results.json"].items() if k != "provenance"}
    for other in ("backtest", "nights/results.json"):
        yield Quantity(
            f"results in {other}", whole, [Place(other, {k: said[other][k] for k in whole})]
        )
    profile, explained = said["profile"], said["explain"]
    for key in ("regime", "roots", "expiries"):
        yield Quantity(
            f"{key} of the last session", profile[key], [Place(f"explain {key}", explained[key])]
        )
    day = profile["regime"]["session"]
    row = next(r for r in said["regimes"] if r["session"][:10] == day)
    for key, value in profile["regime"].items():
        yield Quantity(f"{key} of the exported row", value, [Place(f"regimes {key}", row[key])])
    yield Quantity("hypotheses", said["test"], [Place("hypotheses.json", said["hypotheses.json"])])
    stated = t.config.get("execution", {})
    for key in ("fees_bps", "slippage_bps", "fixed_per_share"):
        yield Quantity(
            key,
            float(stated.get(key, 0.0)),
            [t.at("results.json", f"execution.{key}"), t.at("backtest", f"execution.{key}")],
        )


def _difference(t: Outputs, f: Facts) -> Iterator[Quantity]:
    a, b = (t.frames[f"regimes {w}"] for w in ("a", "b"))
    a, b = (x[x["book"] == f.book].set_index("session") for x in (a, b))
    other = (a["regime"] != b["regime"]).to_numpy()
    yield Quantity(
        "sessions that change",
        int(other.sum()),
        [
            t.at("diff", "changed"),
            Place("diff rows", len(t.documents["diff"]["rows"])),
            Place("diff transitions", sum(t.documents["diff"]["transitions"].values())),
        ],
    )
    closes = f.clock.on_calendar(t.frames["bars"].set_index("session"))["close"]
    ahead = closes.pct_change().shift(-2)
    other = closes.index.isin(a.index[other])
    ahead = ahead[other]
    for side, table in (("a", a), ("b", b)):
        target = raw.main_target(table["regime"].reindex(closes.index), closes)[other]
        total = float((target * ahead).sum(min_count=1))
        yield Quantity(
            f"what definition {side} earns there", total, [t.at("diff", f"return_{side}")]
        )


PARTS = (
    _data, _identity, _regimes, _last_session, _strategies, _by_regime, _tables, _volatilities,
    _moves, _figures, _findings, _difference, _twins,
)  # fmt: skip
