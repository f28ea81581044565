-- Put canonical rows into the order of the lake.
-- In:    canonical_rows, a view with the columns of the canonical chain
-- Out:   the same rows and columns in the lake's order
-- Grain: one row per contract per snapshot
-- Unit:  as in the canonical chain
-- The last keys only separate rows that share the contract key (root unknown), so that the same
-- rows always come out in the same order.
SELECT
    underlying, session, quote_ts, root, expiry, settlement, expiry_ts, strike, "right",
    open_interest, oi_asof, volume, bid, ask, last, iv, iv_outside, delta, gamma,
    spot, multiplier, known_at, source
FROM canonical_rows
ORDER BY
    session, quote_ts, expiry, settlement, strike, "right", root,
    open_interest, bid, ask, last, iv, iv_outside, delta, gamma, volume, known_at, source
