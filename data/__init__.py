"""Option chains, sessions, exposures and regimes: everything that is read, rebuilt or simulated.

Names below are imported when they are first used, so that ``import gexlab.data`` stays light.
"""

from ._lazy import lazy_door

_EXPORTS = {
    "GexlabError": "errors",
    "Lake": "lake",
    "TradingCalendar": "calendars",
    "compact": "lake",
    "open_lake": "lake",
    "trading_calendar": "calendars",
    "write_sessions": "lake",
}

__all__ = sorted(_EXPORTS)

__getattr__ = lazy_door(__name__, _EXPORTS)
