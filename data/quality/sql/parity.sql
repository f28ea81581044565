-- Put-call parity per expiry: is there a forward, and does it agree with the spot of the rows?
-- in:    quality_rows; $first, $rate, $dividend_yield (continuous, a year)
-- out:   session, "check", count, open_interest, value
-- grain: session x check
-- unit:  no_parity: count of expiries without a usable forward (none, or outside the guard), value
--        their share of the open interest; no_carry: the same of expiries of more than a week, or of all
--        where none is usable, and both rates are 0; parity_outside_guard: of those of more than a
--        week outside the guard;
--        spot_off_parity: value the absolute log distance of the shortest expiry's forward from spot,
--        less 2 % a year of its life, at the ten strikes nearest to spot;
--        parity_spread: count of expiries, value the interquartile range of the forwards that single
--        strikes imply, as a share of spot, in the expiry with most open interest at those strikes
WITH legs AS (
    SELECT
        session,
        expiry,
        settlement,
        root,
        strike,
        any_value(s) AS s,
        any_value(t) AS t,
        sum(open_interest) AS oi,
        avg(price) FILTER ("right" = 'C') AS c,
        avg(price) FILTER ("right" = 'P') AS p
    FROM quality_rows
    WHERE session >= $first AND live AND abs(ln(strike / s)) <= 0.10
    GROUP BY session, expiry, settlement, root, strike
),
nearest AS (
    SELECT *, row_number() OVER (
        PARTITION BY session, expiry, settlement ORDER BY abs(strike - s), strike
    ) AS k
    FROM legs
    WHERE c IS NOT NULL AND p IS NOT NULL
),
forwards AS (
    SELECT
        session,
        expiry,
        settlement,
        any_value(t) AS t,
        median(strike + c - p) AS f,
        median(strike + (c - p) * exp($rate * greatest(t, 1 / 17520))) AS grown,
        (quantile_cont(strike + c - p, 0.75) - quantile_cont(strike + c - p, 0.25)) / any_value(s) AS spread,
        any_value(s) AS s,
        sum(oi) AS oi
    FROM nearest
    WHERE k <= 10
    GROUP BY session, expiry, settlement
    HAVING count(*) >= 3
),
guarded AS (
    SELECT
        *,
        grown > 0 AND abs(ln(grown / s) - ($rate - $dividend_yield) * greatest(t, 1 / 17520))
            <= 0.002 + 0.02 * greatest(t, 1 / 17520) AS usable
    FROM forwards
),
held AS (
    SELECT session, expiry, settlement, sum(open_interest) AS oi, any_value(t) > 7 / 365.0 AS carries
    FROM quality_rows
    WHERE session >= $first AND live
    GROUP BY session, expiry, settlement
),
without AS (
    SELECT
        h.session,
        count(*) FILTER (f.usable IS NOT true) AS n_without,
        sum(h.oi) FILTER (f.usable IS NOT true) AS oi_without,
        count(*) FILTER (NOT f.usable AND h.carries) AS n_outside,
        sum(h.oi) FILTER (NOT f.usable AND h.carries) AS oi_outside,
        count(*) FILTER (f.usable IS NOT true AND h.carries) AS n_bare,
        sum(h.oi) FILTER (f.usable IS NOT true AND h.carries) AS oi_bare,
        sum(h.oi) AS oi,
        count(*) FILTER (f.usable) AS n_with
    FROM held AS h
    LEFT JOIN guarded AS f
        ON f.session = h.session AND f.expiry = h.expiry AND f.settlement = h.settlement
    GROUP BY h.session
),
off_spot AS (
    SELECT
        session,
        arg_min(abs(ln(f / s)) - 0.02 * t, t) AS distance,
        arg_max(spread, coalesce(oi, 0)) AS spread,
        count(*) AS n
    FROM forwards
    GROUP BY session
)
SELECT session, 'no_parity' AS "check", n_without AS "count", oi_without AS open_interest,
    CASE WHEN n_with = 0 THEN 1 ELSE oi_without / oi END AS value
FROM without
WHERE n_without > 0
UNION ALL
SELECT
    session, 'no_carry', CASE WHEN n_with = 0 THEN n_without ELSE n_bare END,
    CASE WHEN n_with = 0 THEN oi_without ELSE oi_bare END, CASE WHEN n_with = 0 THEN 1 ELSE oi_bare / oi END
FROM without
WHERE n_without > 0 AND (n_with = 0 OR oi_bare > 0) AND $rate = 0 AND $dividend_yield = 0
UNION ALL
SELECT session, 'parity_outside_guard', n_outside, oi_outside, oi_outside / oi
FROM without
WHERE n_outside > 0 AND oi_outside > 0
UNION ALL
SELECT session, 'spot_off_parity', 1, NULL, distance
FROM off_spot
WHERE distance > 0
UNION ALL
SELECT session, 'parity_spread', n, NULL, spread
FROM off_spot
WHERE spread > 0
ORDER BY session, "check"
