-- Complete new rows by columns that their files do not have, from rows that the lake holds.
-- In:    fresh_rows, stored_rows, views with the columns of the canonical chain; $unstated (names)
-- Out:   canonical columns, unordered
-- Grain: one row per row of fresh_rows
-- Unit:  as in the canonical chain
WITH lenders AS (
    SELECT
        quote_ts, root, expiry, settlement, strike, "right",
        any_value(open_interest) AS open_interest, any_value(oi_asof) AS oi_asof,
        any_value(volume) AS volume, any_value(bid) AS bid, any_value(ask) AS ask,
        any_value("last") AS "last", any_value(iv) AS iv, any_value(iv_outside) AS iv_outside,
        any_value(delta) AS delta, any_value(gamma) AS gamma, any_value(known_at) AS known_at
    FROM stored_rows
    GROUP BY quote_ts, root, expiry, settlement, strike, "right"
    HAVING count(*) = 1
),
asked AS (
    SELECT
        list_contains($unstated, 'open_interest') AS open_interest,
        list_contains($unstated, 'volume') AS volume,
        list_contains($unstated, 'bid') AS bid,
        list_contains($unstated, 'ask') AS ask,
        list_contains($unstated, 'last') AS "last",
        list_contains($unstated, 'iv') AS iv,
        list_contains($unstated, 'delta') AS delta,
        list_contains($unstated, 'gamma') AS gamma
)
SELECT
    f.* REPLACE (
        CASE WHEN a.open_interest THEN l.open_interest ELSE f.open_interest END AS open_interest,
        CASE WHEN a.open_interest THEN l.oi_asof ELSE f.oi_asof END AS oi_asof,
        CASE WHEN a.volume THEN l.volume ELSE f.volume END AS volume,
        CASE WHEN a.bid THEN l.bid ELSE f.bid END AS bid,
        CASE WHEN a.ask THEN l.ask ELSE f.ask END AS ask,
        CASE WHEN a."last" THEN l."last" ELSE f."last" END AS "last",
        CASE WHEN a.iv THEN l.iv ELSE f.iv END AS iv,
        CASE WHEN a.iv THEN l.iv_outside ELSE f.iv_outside END AS iv_outside,
        CASE WHEN a.delta THEN l.delta ELSE f.delta END AS delta,
        CASE WHEN a.gamma THEN l.gamma ELSE f.gamma END AS gamma,
        greatest(f.known_at, l.known_at) AS known_at
    )
FROM fresh_rows AS f
CROSS JOIN asked AS a
LEFT JOIN lenders AS l
    ON l.quote_ts = f.quote_ts AND l.root IS NOT DISTINCT FROM f.root AND l.expiry = f.expiry
    AND l.settlement = f.settlement AND l.strike = f.strike AND l."right" = f."right"
