"""Users' own tables: bars, series, rates, dealers' positions."""
