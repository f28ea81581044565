"""A curve that grows by a day: only the sessions that see the new rates are computed."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from small_markets import write_lake

from gexlab.data.exposure.definition import Definition
from gexlab.data.lake.chain_reader import RawSession
from gexlab.data.lake.lake import open_lake
from gexlab.data.regimes import session_blocks
from gexlab.data.regimes.job import Job
from gexlab.data.regimes.rebuild import rebuild
from gexlab.data.regimes.session_evaluation import SessionEvaluation, evaluate_session
from gexlab.data.regimes.table import regimes
from gexlab.data.tables.rates import curve_file


def test_a_curve_that_grows_by_a_day_recomputes_that_day_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_lake(tmp_path, "XNYS", sessions=8)
    lake = open_lake(tmp_path / "lake")
    days = [str(entry.session) for entry in lake.sessions("MKT")]
    early = str((pd.Timestamp(days[0]) - pd.Timedelta(days=4)).date())
    rates = pd.DataFrame({"session": [early, *days], "rate": 0.02})
    rates["rate"] += 0.001 * rates.index

    computed: list[str] = []
    real = evaluate_session

    def counted(raw: RawSession, previous: RawSession | None, job: Job) -> SessionEvaluation:
        computed.append(str(raw.session))
        return real(raw, previous, job)

    monkeypatch.setattr(session_blocks, "evaluate_session", counted)
    ids, tables = set(), []
    for rows in range(len(days) - 2, len(days) + 2):  # one day of rates more each night
        rates.head(rows).to_csv(tmp_path / "curve.csv", index=False)
        definition = Definition(rate_curve=curve_file(tmp_path / "curve.csv"))
        computed.clear()
        done = rebuild(lake, "MKT", definition=definition, side_tables=False)
        ids.add(done.definition_id)
        tables.append(regimes(lake, "MKT", book="post_expiry", definition_id=definition))
        if len(tables) == 1:
            assert done.rebuilt == len(days)
        else:  # rates dated t act from the next session on
            fresh = [day for day in days if day > str(rates["session"][rows - 1])]
            assert sorted(computed) == fresh
            assert done.rebuilt == len(fresh)
    assert len(ids) == 1  # it stays one definition
    last = tables[-1].set_index("session")["net_gex"]
    first = tables[0].set_index("session")["net_gex"].reindex(last.index)
    assert (last == first).tolist() == [True] * (len(days) - 2) + [False] * 2
