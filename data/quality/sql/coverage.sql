-- What each session holds, for a picture of coverage through time.
-- in:    quality_rows; $first
-- out:   one row per session, see the columns
-- grain: session
-- unit:  contracts, shares of 0 ... 1, strikes as a ratio to spot, hours
SELECT
    session,
    any_value(quote_ts) AS quote_ts,
    max(known_at) AS known_at,
    max(oi_asof) AS oi_asof,
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
