"""One chain, many "flips": published numbers of 2022-12-12 and the rule behind each row.

Plain data: rule name, then per index the net exposure ($bn per 1 %, three decimals), the zeros'
number and the one nearest to spot (one decimal). None: not published.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Golden:
    """A published cell triple."""

    rule: str
    underlying: str
    net: float | None
    n_roots: int | None
    nearest: float | None


ROWS = [
    # rule, (SPX net, flip), (NDX net, n, nearest), (RUT net, n, nearest)
    ("perfiliev", (-4.134, 4013.8), (1.079, 7, 11171.0), (-0.426, 11, 1898.2)),
    ("perfiliev-60", (-4.143, 4013.9), (1.039, 3, 11170.4), (-0.426, 1, 1898.2)),
    ("perfiliev-30", (-4.170, 4013.9), (1.036, None, None), (-0.427, None, 1898.4)),
    ("perfiliev-without-0dte", (-4.134, 4013.8), (0.975, 7, 11132.3), (-0.429, 11, 1898.1)),
    ("weekdays-carry", (-2.241, 4003.1), (1.012, 9, 11112.5), (-0.403, 11, 1892.1)),
    ("calendar", (-2.953, 4005.9), (1.123, 7, 11142.3), (-0.406, 9, 1890.2)),
    ("calendar-carry", (-1.106, 3996.3), (1.158, 7, 11126.5), (-0.382, 9, 1884.7)),
    ("all-pm", (-1.194, 3996.8), (1.131, 7, 11125.3), (-0.387, 11, 1885.6)),
    ("sticky-moneyness", (-1.106, 3997.4), (1.158, 1, 11100.4), (-0.382, 1, 1899.3)),
    ("spot-side", (-1.238, 3997.0), (1.024, 1, 11062.6), (-0.320, 1, 1873.5)),
    ("zerogex", (-1.576, 4000.5), (0.914, 7, 11117.6), (-0.380, 13, 1897.6)),
    ("without-next-expiry", (None, 3998.1), (None, 9, 11102.2), (None, 11, 1889.5)),
    ("without-monthly", (None, 4009.2), (None, 1, 11368.8), (None, 13, 1946.2)),
    ("parity-five", (None, None), (1.150, 7, 11137.9), (None, None, None)),
    ("vendor-gamma", (-1.075, None), (1.088, None, None), (-0.321, None, None)),
    ("per-strike", (None, 3998.8), (None, 101, 11708.0), (None, 20, 1850.8)),
    ("cumulative", (None, None), (None, None, 11645.4), (None, None, 401.0)),
    ("jensolson", (None, 4005.7), (None, None, 11606.4), (None, None, 1889.6)),
]
#: Number of zeros of the S&P 500 rows: the table prints it for the per-strike row only.
SPX_ROOTS = {"per-strike": 13, "cumulative": 0}
FIRST_PER_STRIKE = {"SPX": 1088.5, "NDX": 11191.3, "RUT": 401.0}
ALL_ROOTS = {
    ("perfiliev-60", "NDX"): (10697.0, 10821.4, 11170.4),
    ("calendar-carry", "NDX"): (10676.6, 10718.9, 10784.3, 10812.6, 10974.3, 11024.5, 11126.5),
    ("calendar-carry", "RUT"): (
        1884.7, 1948.8, 1950.1, 2042.7, 2044.7, 2082.6, 2086.0, 2133.6, 2139.7,
    ),
}  # fmt: skip
CONTRACTS = {"SPX": 13168, "NDX": 5890, "RUT": 2948}
GROSS = {"SPX": 165.50, "NDX": 5.42, "RUT": 3.01}
NET_TO_GROSS = {"SPX": -0.007, "NDX": 0.214, "RUT": -0.127}
#: any strike call/put, own side call/put, most positive/negative net, by open interest call/put
WALLS = {
    "SPX": (4000, 4000, 4000, 3950, 4100, 3800, 4000, 4000),
    "NDX": (11650, 12000, 12000, 11500, 11650, 11000, 11650, 11500),
    "RUT": (1800, 1800, 1855, 1800, 1855, 1800, 1800, 1800),
}


def golden_cells() -> list[Golden]:
    """One value per published row and index."""
    cells = []
    for rule, (spx_net, spx_flip), ndx, rut in ROWS:
        cells.append(Golden(rule, "SPX", spx_net, SPX_ROOTS.get(rule), spx_flip))
        cells.append(Golden(rule, "NDX", *ndx))
        cells.append(Golden(rule, "RUT", *rut))
    return cells
