-- The spot of the chain against the official close of its session.
-- in:    quality_rows; relation quality_closes (session DATE, close DOUBLE); $first
-- out:   session, "check", count, open_interest, value
-- grain: session
-- unit:  value the absolute log distance
-- Bars that are further than 5 % off in the median are of another instrument: nothing is said then.
SELECT
    r.session,
    'spot_off_close' AS "check",
    count(*) AS "count",
    sum(r.open_interest) AS open_interest,
    abs(ln(any_value(r.s) / any_value(c.close))) AS value
FROM quality_rows AS r
INNER JOIN quality_closes AS c ON c.session = r.session
WHERE r.session >= $first AND c.close > 0
GROUP BY r.session
QUALIFY median(abs(ln(any_value(r.s) / any_value(c.close)))) OVER () <= 0.05
ORDER BY r.session
