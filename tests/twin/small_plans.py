"""Sessions, schedules and plans for tests of the engine."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from gexlab.backtest.execution.timing import OrderPlan, Schedule, make_schedule
from gexlab.data.calendar.trading import trading_calendar

NAT = np.datetime64("NaT", "ns")


def sessions_from_2024(n: int) -> pd.DatetimeIndex:
    calendar = trading_calendar("XNYS")
    first = calendar.position(pd.Timestamp("2024-01-02").date())
    return pd.DatetimeIndex(calendar.sessions[first : first + n].astype("datetime64[ns]"))


def schedule_of(n: int, fill: str) -> Schedule:
    return make_schedule(trading_calendar("XNYS"), sessions_from_2024(n), fill)


def plan_of(targets: npt.NDArray[np.float64], name: str = "s") -> OrderPlan:
    n = len(targets)
    decided = np.where(np.isnan(targets), -1, np.arange(n) - 1)
    nothing = {"regime": np.full(n, NAT), "bars": np.full(n, NAT)}
    return OrderPlan(name, targets, decided, np.full(n, "long"), nothing)
