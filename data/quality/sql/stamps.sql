-- When each session's quotes were taken, and what its chain holds in all.
-- in:    quality_rows; $first
-- out:   session, quote_ts (ISO 8601 text, UTC), contracts, open_interest, spot
-- grain: session
-- unit:  contracts; points
SELECT
    session,
    strftime(any_value(quote_ts), '%Y-%m-%dT%H:%M:%S+00:00') AS quote_ts,
    count(*) AS contracts,
    sum(open_interest) AS open_interest,
    any_value(s) AS spot
FROM quality_rows
WHERE session >= $first
GROUP BY session
ORDER BY session
