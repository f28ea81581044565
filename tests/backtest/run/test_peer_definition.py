"""A peer's rule as the definition of a run: its own rows, end to end."""

from __future__ import annotations

import json
from pathlib import Path

from small_markets import write_lake

from gexlab.backtest import backtest, load_config, write_results
from gexlab.data import definition_named, open_lake, rebuild, regimes

CONFIG = """
[data]
lake = "lake"
underlying = "MKT"
instrument = "etf"
bars = "bars.parquet"

[regime]
book = "as_of_close"
definition = "perfiliev"

[inference]
bootstrap = 100
"""


def test_a_backtest_trades_the_labels_of_a_peers_rule(tmp_path: Path) -> None:
    write_lake(tmp_path, "XNYS", sessions=24)
    rebuild(tmp_path / "lake", "MKT")  # gexlab's own rows lie beside them and are not read
    (tmp_path / "config.toml").write_text(CONFIG, encoding="utf-8")
    config = load_config(tmp_path / "config.toml")
    result = backtest(config)
    write_results(result, tmp_path / "out")
    document = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    rule = definition_named("perfiliev")
    assert document["provenance"]["definition_id"] == rule.definition_id
    rows = regimes(
        open_lake(tmp_path / "lake"), "MKT", book="as_of_close", definition_id="perfiliev"
    )
    own = result.regime.table["regime"]
    assert own.tolist() == rows.set_index("session")["regime"].reindex(own.index).tolist()
    assert set(document["regime"]["counts"]) == {"long", "short", "neutral", "abstain"}
    counted = sum(document["regime"]["counts"].values())
    assert counted == document["data"]["sessions"]
