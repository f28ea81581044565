-- What each session holds, for a picture of coverage through time.
-- in:    quality_rows; $first
-- out:   one row per session, see the columns
-- grain: session
-- unit:  moments as ISO 8601 text, UTC, days likewise; contracts, shares of 0 ... 1, strikes as a ratio to spot, hours
SELECT
    session,
    strftime(any_value(quote_ts), '%Y-%m-%dT%H:%M:%S.%f+00:00') AS quote_ts,
    strftime(max(known_at), '%Y-%m-%dT%H:%M:%S.%f+00:00') AS known_at,
    max(oi_asof)::VARCHAR AS oi_asof,
    any_value(s) AS spot,
    count(*) AS contracts,
    count(*) FILTER (live) AS live,
    count(DISTINCT expiry) FILTER (live) AS expiries,
    sum(open_interest) AS open_interest,
    avg((open_interest IS NOT NULL)::INT) AS open_interest_known,
    avg((iv IS NOT NULL)::INT) FILTER (live) AS volatility_known,
    avg(two_sided::INT) FILTER (live) AS two_sided,
    min(strike / s) FILTER (live AND open_interest > 0) AS lowest_strike,
    max(strike / s) FILTER (live AND open_interest > 0) AS highest_strike,
    count(DISTINCT source) AS sources
FROM quality_rows
WHERE session >= $first
GROUP BY session
ORDER BY session
