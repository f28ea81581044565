"""Loops that join others give, to the last bit, what these give one by one."""

from __future__ import annotations

from dataclasses import astuple
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from gexlab.data.base.schema import BOOKS
from gexlab.data.exposure.book import exposure_at_spot, mixture_of
from gexlab.data.exposure.contradictions import repeated_rows, unit_contradiction
from gexlab.data.exposure.definition import DEFAULT
from gexlab.data.exposure.definition_agreement import definition_agreement, sixteen_signs
from gexlab.data.exposure.evaluation import evaluate_book
from gexlab.data.exposure.expiry_shares import expiry_shares
from gexlab.data.exposure.flips import mixture_roots
from gexlab.data.exposure.forwards import fill_forwards
from gexlab.data.exposure.profile_kernel import profile_on_grid
from gexlab.data.exposure.strike_lines import contracts_of, fill_lines, fill_own
from gexlab.data.exposure.time_to_expiry import years_between
from gexlab.data.exposure.walls import fill_walls, sums_by_strike
from gexlab.data.lake.chain_reader import RawSession
from gexlab.data.lake.lake import Lake, open_lake
from gexlab.data.regimes.job import make_job
from gexlab.data.regimes.session_evaluation import (
    SessionEvaluation,
    evaluate_session,
    prepared_session,
)
from gexlab.data.regimes.sessions import map_sessions
from gexlab.data.regimes.spec import RegimeSpec
from gexlab.data.simulate.market.simulate import simulate


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    folder: Path = tmp_path_factory.mktemp("joined") / "lake"
    simulate("S1S3", years=0.02, seed=1, lake=folder, contracts=200, intraday=None)
    return open_lake(folder)


def test_all_that_is_measured_of_a_book(lake: Lake) -> None:
    same = np.testing.assert_array_equal
    job = make_job(lake, RegimeSpec("SIM", DEFAULT))
    chains = list(map_sessions(lake, job, lambda raw, _: prepared_session(raw, job)))
    assert len(chains) > 3
    for (prepared, context), name in product(chains, BOOKS):
        found = evaluate_book(prepared, name, context, DEFAULT)
        book, lines, grid, day = found.book, found.book.lines, found.grid, context.valuation_days
        sums, m = exposure_at_spot(book), mixture_of(book)
        profile = profile_on_grid(
            -grid.width, grid.step, grid.points, m.centre, m.inverse_width, m.net, m.gross
        )
        rows = sums_by_strike(lines.start, lines.strike, sums.call_gex, sums.put_gex, sums.gross)
        walls = np.empty((3, 2))
        concentration = fill_walls(rows[0], rows[1], rows[2], rows[3], book.spot, walls)
        gross = sums.by_group[1]
        shares = expiry_shares(gross, book.live, context.dies, context.monthly, day[name])
        counts = contracts_of(lines.tally, book.live, prepared.groups.start)
        for field in ("call_gex", "put_gex", "gross", "delta", "vanna", "charm", "by_group"):
            same(getattr(found.exposure, field), getattr(sums, field))
        assert found.exposure.totals == sums.totals
        same(found.profile, profile)
        assert found.roots == mixture_roots(book.spot, grid, m, profile[0], profile[1])
        same(astuple(found.strikes), rows)
        same([astuple(w) for w in (found.walls.call, found.walls.put, found.walls.pin)], walls)
        same(found.walls.concentration, concentration)
        same(astuple(found.shares), shares)
        used, rejected = found.contracts_used, found.contracts_rejected
        same((found.expired, used, rejected, found.oi_rejected_share), counts)


def test_what_both_books_share(lake: Lake) -> None:
    same = np.testing.assert_array_equal
    job = make_job(lake, RegimeSpec("SIM", DEFAULT))
    for prepared, _ in map_sessions(lake, job, lambda raw, _: prepared_session(raw, job)):
        chain, groups, market = prepared.chain, prepared.groups, prepared.market
        n, g = chain.strike.size, groups.expiry.size
        time = years_between(chain.quote_us, groups.expiry_us, DEFAULT.floor_minutes)
        forward, flags = np.empty(g), np.empty((2, g), np.bool_)
        fill_forwards(
            groups.start, time, market.rate, market.dividend_yield, chain.spot, True,
            chain.strike, chain.is_call, chain.mid, forward, flags[0], flags[1],
        )  # fmt: skip
        same([market.time, market.forward], [time, forward])
        same([market.from_parity, market.outside_guard], flags)
        own, code = np.empty(n), np.empty(n, np.int8)
        fill_own(
            groups.start, time, forward, market.rate,
            chain.strike, chain.is_call, chain.mid, chain.volatility, own, code,
        )  # fmt: skip
        same(prepared.own.value, own)
        same(prepared.own.code, code)
        rows, group = np.empty((7, n)), np.empty(n, np.int64)
        start, tally = np.empty(g + 1, np.int64), np.empty((g, 5))
        m = fill_lines(
            False, groups.start, time, forward, chain.strike, chain.is_call,
            chain.open_interest, chain.position, own, rows, group, start, tally,
        )  # fmt: skip
        lines = prepared.lines
        same([lines.strike, lines.volatility, lines.call, lines.put], rows[:4, :m])
        same([lines.call_size, lines.put_size, lines.log_moneyness], rows[4:, :m])
        same(lines.group, group[:m])
        same(lines.start, start)
        same(lines.tally, tally)


def test_what_doubts_a_chain(lake: Lake) -> None:
    same = np.testing.assert_array_equal
    job = make_job(lake, RegimeSpec("SIM", DEFAULT))

    def rows(raw: RawSession, _: RawSession | None) -> tuple[RawSession, SessionEvaluation]:
        return raw, evaluate_session(raw, None, job)

    for raw, found in map_sessions(lake, job, rows):
        prepared, context = found.prepared, found.context
        chain, groups = prepared.chain, prepared.groups
        moments = {str(name): moment for name, moment in context.valuations.items()}
        signs = sixteen_signs(chain, groups, prepared.market, moments, use_parity=True)
        nets = np.array([sign.net_gex for sign in signs])
        for name, agreement in found.agreement.items():
            same(agreement, definition_agreement(nets, found.results[name].net_gex))
        assert found.repeated == repeated_rows(raw.columns) == 0
        assert found.unit == unit_contradiction(
            spot=chain.spot,
            start=groups.start,
            years=prepared.market.time,
            strike=chain.strike,
            is_call=chain.is_call,
            price=chain.mid,
            volatility=chain.volatility,
            open_interest=chain.open_interest,
            multiplier=raw.columns["multiplier"],
        )
