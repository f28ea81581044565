-- Session-wide levels against the previous session: spot, volatility near the money, rows, multiplier.
-- in:    quality_rows; $first
-- out:   session, "check", count, open_interest, value
-- grain: session x check
-- unit:  value an absolute log change (spot_jump, volatility_jump), 1 where spot is unchanged, the
--        share of rows lost (fewer_contracts), or the absolute log change of the multiplier
WITH levels AS (
    SELECT
        session,
        any_value(previous) AS previous,
        any_value(s) AS s,
        count(*) AS n,
        sum(open_interest) AS oi,
        median(multiplier) AS multiplier,
        median(iv) FILTER (live AND t BETWEEN 0.02 AND 0.5 AND abs(ln(strike / s)) <= 0.05) AS iv,
        count(DISTINCT oi_asof) AS settled_days,
        max(date_diff('day', oi_asof, session)) AS oi_age
    FROM quality_rows
    GROUP BY session
),
changes AS (
    SELECT
        a.*,
        abs(ln(a.s / b.s)) AS spot_change,
        abs(ln(a.iv / b.iv)) AS iv_change,
        1 - a.n / b.n AS rows_lost,
        abs(ln(a.multiplier / b.multiplier)) AS multiplier_change
    FROM levels AS a
    INNER JOIN levels AS b ON b.session = a.previous
    WHERE a.session >= $first
),
listed AS (
    SELECT
        session,
        unnest([
            {'check': 'spot_jump', 'count': n, 'open_interest': oi, 'value': spot_change},
            {'check': 'spot_unchanged', 'count': n, 'open_interest': oi, 'value': (spot_change = 0)::DOUBLE},
            {'check': 'volatility_jump', 'count': n, 'open_interest': oi, 'value': iv_change},
            {'check': 'fewer_contracts', 'count': n, 'open_interest': oi, 'value': rows_lost},
            {'check': 'multiplier_change', 'count': n, 'open_interest': oi, 'value': multiplier_change}
        ], max_depth := 2)
    FROM changes
)
SELECT session, "check", "count", open_interest, value
FROM listed
WHERE value > 0
ORDER BY session, "check"
