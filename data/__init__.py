"""Option chains, sessions, exposures and regimes: everything that is read, rebuilt or simulated.

Names below are imported when they are first used, so that ``import gexlab.data`` stays light.
"""

from ._lazy import lazy_door

_EXPORTS = {
    "BarSet": "bars",
    "CheckResult": "quality",
    "Definition": "definitions",
    "Explanation": "inspection",
    "Finding": "quality_catalogue",
    "GexlabError": "errors",
    "IngestResult": "ingestion",
    "IntradayRegimes": "rechecking",
    "Lake": "lake",
    "RebuildResult": "rebuilding",
    "SessionProfile": "inspection",
    "SnapshotResult": "collector",
    "Thresholds": "quality_catalogue",
    "TimeStructure": "exposure.structure",
    "TradingCalendar": "calendars",
    "check": "quality",
    "attribute_changes": "attributing",
    "average_dollar_volume": "regime_units",
    "compact": "lake",
    "coverage": "quality",
    "diff_regimes": "inspection",
    "explain": "inspection",
    "findings": "quality",
    "findings_frame": "quality",
    "from_unit": "exposure.units",
    "hedge_flows": "flowing",
    "ingest": "ingestion",
    "intraday_regimes": "rechecking",
    "load_bars": "bars",
    "load_definition": "definitions",
    "load_intraday": "bars",
    "load_series": "series",
    "look_alike_flips": "look_alikes",
    "open_lake": "lake",
    "profile": "inspection",
    "query": "sql_access",
    "read_bars": "bars",
    "read_intraday": "bars",
    "read_series": "series",
    "rebuild": "rebuilding",
    "regimes": "regime_table",
    "side_table": "regime_table",
    "snapshot": "collector",
    "time_structure": "structuring",
    "to_unit": "exposure.units",
    "trading_calendar": "calendars",
    "with_unit": "regime_units",
    "write_sessions": "lake",
}

__all__ = sorted(_EXPORTS)

__getattr__ = lazy_door(__name__, _EXPORTS)
