-- When each session's quotes were taken, and which session came before it in the lake.
-- in:    quality_rows; $first
-- out:   session, previous, quote_ts (ISO 8601 text, UTC), contracts, open_interest
-- grain: session
-- unit:  contracts
SELECT
    session,
    any_value(previous) AS previous,
    strftime(any_value(quote_ts), '%Y-%m-%dT%H:%M:%S+00:00') AS quote_ts,
    count(*) AS contracts,
    sum(open_interest) AS open_interest
FROM quality_rows
WHERE session >= $first
GROUP BY session
ORDER BY session
