-- Contracts that occur more often than they can: the same key where the root is known, more than two
-- rows (AM and PM series of a monthly expiration) where it is not, or the same values twice.
-- in:    quality_rows; $first
-- out:   session, "check", count, open_interest, value
-- grain: session x check
-- unit:  count of surplus rows; value their share of all rows
WITH keyed AS (
    SELECT
        session,
        count(*) AS n,
        any_value(root) AS root,
        dayofmonth(expiry) BETWEEN 14 AND 22 AS maybe_monthly,
        sum(open_interest) AS oi,
        count(DISTINCT settlement) AS settlements,
        count(DISTINCT {'oi': open_interest, 'bid': bid, 'ask': ask, 'iv': iv, 'last': "last"}) AS different,
        bool_or(open_interest > 0 AND coalesce(bid, iv, "last") > 0) AS holds_values
    FROM quality_rows
    WHERE session >= $first
    GROUP BY session, root, expiry, strike, "right"
),
surplus AS (
    SELECT
        session,
        n,
        oi,
        CASE
            WHEN holds_values AND different < n THEN n - different
            WHEN root IS NOT NULL THEN n - settlements
            WHEN maybe_monthly THEN greatest(n - 2, 0)
            ELSE n - 1
        END AS extra
    FROM keyed
)
SELECT
    session,
    'duplicate_contracts' AS "check",
    sum(extra)::BIGINT AS "count",
    sum(oi * extra / n) AS open_interest,
    sum(extra) / sum(n) AS value
FROM surplus
GROUP BY session
HAVING sum(extra) > 0
ORDER BY session
