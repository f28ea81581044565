-- Do the strikes of the short expiries reach around the spot, and without holes?
-- in:    quality_rows; $first
-- out:   session, "check", count, open_interest, value
-- grain: session x check
-- unit:  strike_coverage: value the missing part of the 5 % each side of spot (log), worst expiry of
--        the next 60 days that holds at least 5 % of the open interest; strike_gap: the widest gap
--        between neighbouring strikes within 5 % of spot, as a share of spot, same expiries
WITH near AS (
    SELECT session, expiry, strike, any_value(s) AS s, sum(open_interest) AS oi
    FROM quality_rows
    WHERE session >= $first AND live AND t <= 60 / 365.0
    GROUP BY session, expiry, strike
),
ranked AS (
    SELECT
        *,
        sum(oi) OVER (PARTITION BY session) AS oi_session,
        sum(oi) OVER (PARTITION BY session, expiry) AS oi_expiry,
        strike - lag(strike) OVER (PARTITION BY session, expiry ORDER BY strike) AS gap
    FROM near
),
spans AS (
    SELECT
        session,
        expiry,
        any_value(oi_expiry) AS oi,
        count(*) AS n,
        greatest(ln(min(strike) / any_value(s)) + 0.05, 0.05 - ln(max(strike) / any_value(s)), 0) AS uncovered,
        coalesce(max(gap / s) FILTER (abs(ln(strike / s)) <= 0.05 OR abs(ln((strike - gap) / s)) <= 0.05), 0) AS gap
    FROM ranked
    WHERE oi_expiry >= 0.05 * oi_session AND oi_expiry > 0
    GROUP BY session, expiry
),
worst AS (
    SELECT
        session,
        max(uncovered) AS uncovered,
        sum(oi) FILTER (uncovered > 0) AS uncovered_oi,
        count(*) FILTER (uncovered > 0) AS n_uncovered,
        max(gap) AS gap,
        arg_max(oi, {'gap': gap, 'oi': oi}) AS gap_oi  -- of equal gaps the heaviest expiry
    FROM spans
    GROUP BY session
),
listed AS (
    SELECT
        session,
        unnest([
            {'check': 'strike_coverage', 'count': n_uncovered, 'open_interest': uncovered_oi, 'value': uncovered},
            {'check': 'strike_gap', 'count': 1, 'open_interest': gap_oi, 'value': gap}
        ], max_depth := 2)
    FROM worst
)
SELECT session, "check", "count", open_interest, value
FROM listed
WHERE value > 0
ORDER BY session, "check"
