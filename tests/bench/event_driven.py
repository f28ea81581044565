"""One trial in an event-driven backtester, for scale: how long one of ten thousand would take.

``python tests/bench/event_driven.py FILE`` in an environment of its own that has ``backtrader``
(``make bench-env``); gexlab is not needed. ``bench_grid.py`` calls it where that environment is
there. FILE is a CSV of ``session, open, high, low, close, target``: the share of equity wanted from
the open on, empty where no order goes out. Prints one JSON document: ``version``, ``seconds`` of
processor time, last ``value``.
"""

from __future__ import annotations

import csv
import json
import sys
import time
from datetime import datetime
from math import isfinite
from typing import Any

import backtrader  # type: ignore[import-not-found]

_PRICES = ("open", "high", "low", "close")


class Bars(backtrader.feed.DataBase):  # type: ignore[misc]
    """Daily bars from rows."""

    params = (("rows", ()),)

    def start(self) -> None:
        """Begin at the first row."""
        super().start()
        self._rows = iter(self.p.rows)

    def _load(self) -> bool:
        row = next(self._rows, None)
        if row is None:
            return False
        self.lines.datetime[0] = backtrader.date2num(row["session"])
        for name in _PRICES:
            getattr(self.lines, name)[0] = row[name]
        self.lines.volume[0] = self.lines.openinterest[0] = 0.0
        return True


class Targets(backtrader.Strategy):  # type: ignore[misc]
    """Restores a share of equity at each open that has one."""

    params = (("targets", ()),)

    def next_open(self) -> None:
        """Order what is missing to the target, at this open."""
        target = self.p.targets[len(self.data) - 1]
        if isfinite(target):
            price = self.data.open[0]
            equity = self.broker.getcash() + self.position.size * price
            missing = target * equity / price - self.position.size
            (self.buy if missing > 0.0 else self.sell)(size=abs(missing))


def _read(file: str) -> tuple[list[dict[str, Any]], list[float]]:
    with open(file, encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    bars = [
        {
            "session": datetime.fromisoformat(row["session"]),
            **{name: float(row[name]) for name in _PRICES},
        }
        for row in rows
    ]
    return bars, [float(row["target"] or "nan") for row in rows]


def _seconds(bars: list[dict[str, Any]], targets: list[float]) -> tuple[float, float]:
    engine: Any = backtrader.Cerebro(cheat_on_open=True, stdstats=False)
    engine.adddata(Bars(rows=bars))
    engine.addstrategy(Targets, targets=targets)
    engine.broker.setcash(1e6)
    began = time.process_time()
    engine.run()
    return time.process_time() - began, float(engine.broker.getvalue())


if __name__ == "__main__":
    seconds, value = _seconds(*_read(sys.argv[1]))
    print(json.dumps({"version": backtrader.__version__, "seconds": seconds, "value": value}))
