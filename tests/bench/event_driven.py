"""One trial in an event-driven backtester, for scale: how long one of ten thousand would take.

``python tests/bench/event_driven.py [SESSIONS]`` in an environment of its own that has
``backtrader`` (``pip install backtrader``); gexlab is not needed. The trial is that of
``bench_grid.py``: a target share of equity, restored at every open.
"""

from __future__ import annotations

import random
import sys
import time
from datetime import datetime
from typing import Any

import backtrader  # type: ignore[import-not-found]

#: 3 January 2012.
_FIRST = 734_505


class Bars(backtrader.feed.DataBase):  # type: ignore[misc]
    """Random daily bars."""

    params = (("sessions", 2_500),)

    def start(self) -> None:
        """Begin at 100."""
        super().start()
        self._random, self._price, self._at = random.Random(5), 100.0, 0

    def _load(self) -> bool:
        if self._at == self.p.sessions:
            return False
        day = datetime.fromordinal(_FIRST + self._at)
        opened, self._at = self._price, self._at + 1
        self._price *= 1.0 + self._random.gauss(0.0003, 0.01)
        self.lines.datetime[0] = backtrader.date2num(day)
        self.lines.open[0], self.lines.close[0] = opened, self._price
        self.lines.high[0] = max(opened, self._price) * 1.004
        self.lines.low[0] = min(opened, self._price) * 0.996
        self.lines.volume[0] = self.lines.openinterest[0] = 0.0
        return True


class Fade(backtrader.Strategy):  # type: ignore[misc]
    """Against the last return."""

    def next(self) -> None:
        """Restore the target at the next open."""
        if len(self) > 1:
            move = self.data.close[0] - self.data.close[-1]
            self.order_target_percent(target=-0.95 if move > 0.0 else 0.95)


def _seconds(sessions: int) -> tuple[float, float]:
    engine: Any = backtrader.Cerebro()
    engine.adddata(Bars(sessions=sessions))
    engine.addstrategy(Fade)
    engine.broker.setcash(1e6)
    began = time.process_time()
    engine.run()
    return time.process_time() - began, float(engine.broker.getvalue())


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2_500
    seconds, value = _seconds(count)
    print(
        f"backtrader {backtrader.__version__}: one trial of {count:,} sessions {seconds:.2f} s "
        f"(last value {value:,.0f}), ten thousand of them {seconds * 1e4 / 3600:.1f} hours"
    )
