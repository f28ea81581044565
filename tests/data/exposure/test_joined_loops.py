"""Loops that join others give, to the last bit, what these give one by one."""

from __future__ import annotations

from dataclasses import astuple
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from gexlab.data.base.schema import BOOKS
from gexlab.data.exposure.book import exposure_at_spot, mixture_of
from gexlab.data.exposure.definition import DEFAULT
from gexlab.data.exposure.evaluation import evaluate_book
from gexlab.data.exposure.expiry_shares import expiry_shares
from gexlab.data.exposure.flips import mixture_roots
from gexlab.data.exposure.profile_kernel import profile_on_grid
from gexlab.data.exposure.strike_lines import contracts_of
from gexlab.data.exposure.walls import fill_walls, sums_by_strike
from gexlab.data.lake.lake import Lake, open_lake
from gexlab.data.regimes.job import make_job
from gexlab.data.regimes.session_evaluation import prepared_session
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
