-- Copies of a session further back than the one before, ten at most: rows whose values all recur.
-- in:    quality_rows (with ten sessions before the block); $first
-- out:   session, "check", count, open_interest, value
-- grain: session
-- unit:  count of rows that recur in the most similar earlier session; value their share of the
--        rows with a two-sided quote
WITH quoted AS (
    SELECT session, previous, place, expiry, strike, "right", open_interest, iv, bid, ask
    FROM quality_rows
    WHERE two_sided
),
sizes AS (
    SELECT session, count(*) AS n
    FROM quoted
    GROUP BY session
),
recurring AS (
    SELECT
        n.session,
        e.session AS earlier,
        count(*) AS same,
        sum(n.open_interest) AS oi
    FROM quoted AS n
    INNER JOIN quoted AS e
        ON e.expiry = n.expiry
        AND e.strike = n.strike
        AND e."right" = n."right"
        AND e.bid = n.bid
        AND e.ask = n.ask
        AND e.open_interest IS NOT DISTINCT FROM n.open_interest
        AND e.iv IS NOT DISTINCT FROM n.iv
        AND e.session < n.previous
        AND e.place >= n.place - 10
    WHERE n.session >= $first
    GROUP BY n.session, e.session
)
SELECT
    r.session,
    'copy_of_earlier_session' AS "check",
    max(r.same) AS "count",
    arg_max(r.oi, r.same) AS open_interest,
    max(r.same) / any_value(s.n) AS value
FROM recurring AS r
INNER JOIN sizes AS s ON s.session = r.session
GROUP BY r.session
ORDER BY r.session
