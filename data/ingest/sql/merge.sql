-- Lay new rows over stored ones: of rows with one contract key, those of the newer origin stay.
-- In:    fresh_rows, stored_rows, views with the columns of the canonical chain
-- Out:   canonical columns in the lake's order
-- Grain: one row per contract per snapshot
-- Unit:  as in the canonical chain
WITH both_origins AS (
    SELECT *, 1 AS age FROM fresh_rows
    UNION ALL
    SELECT *, 0 AS age FROM stored_rows
)
SELECT
    underlying, session, quote_ts, root, expiry, settlement, expiry_ts, strike, "right",
    open_interest, oi_asof, volume, bid, ask, last, iv, iv_outside, delta, gamma,
    spot, multiplier, known_at, source
FROM both_origins
QUALIFY age = max(age) OVER (PARTITION BY quote_ts, root, expiry, settlement, strike, "right")
ORDER BY
    session, quote_ts, expiry, settlement, strike, "right", root,
    open_interest, bid, ask, last, iv, iv_outside, delta, gamma, volume, known_at, source
