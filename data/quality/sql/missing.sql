-- What the previous session held, was still live at this session's quotes, and is gone.
-- in:    quality_rows; $first
-- out:   session, "check", count, open_interest, value
-- grain: session x check
-- unit:  count of expiries or contracts; value the share of the open interest that should have stayed
WITH pairs AS (
    SELECT DISTINCT session, previous, quote_ts
    FROM quality_rows
    WHERE session >= $first AND previous IS NOT NULL
),
due AS (
    SELECT
        p.session,
        r.expiry,
        r.strike,
        r."right",
        sum(r.open_interest) AS oi
    FROM pairs AS p
    INNER JOIN quality_rows AS r ON r.session = p.previous AND r.expiry_ts > p.quote_ts
    WHERE r.open_interest > 0
    GROUP BY p.session, r.expiry, r.strike, r."right"
),
present AS (
    SELECT DISTINCT session, expiry, strike, "right"
    FROM quality_rows
),
expiries AS (
    SELECT DISTINCT session, expiry
    FROM present
),
judged AS (
    SELECT
        d.session,
        d.expiry,
        d.oi,
        p.strike IS NULL AS contract_gone,
        e.expiry IS NULL AS expiry_gone
    FROM due AS d
    LEFT JOIN present AS p
        ON p.session = d.session AND p.expiry = d.expiry AND p.strike = d.strike AND p."right" = d."right"
    LEFT JOIN expiries AS e ON e.session = d.session AND e.expiry = d.expiry
),
summed AS (
    SELECT
        session,
        sum(oi) AS oi,
        count(DISTINCT expiry) FILTER (expiry_gone) AS expiries_gone,
        sum(oi) FILTER (expiry_gone) AS expiries_oi,
        count(*) FILTER (contract_gone AND NOT expiry_gone) AS contracts_gone,
        sum(oi) FILTER (contract_gone AND NOT expiry_gone) AS contracts_oi
    FROM judged
    GROUP BY session
),
listed AS (
    SELECT
        session,
        unnest([
            {'check': 'missing_expiries', 'count': expiries_gone, 'open_interest': expiries_oi, 'value': expiries_oi / oi},
            {'check': 'missing_contracts', 'count': contracts_gone, 'open_interest': contracts_oi, 'value': contracts_oi / oi}
        ], max_depth := 2)
    FROM summed
)
SELECT session, "check", "count", open_interest, value
FROM listed
WHERE "count" > 0
ORDER BY session, "check"
