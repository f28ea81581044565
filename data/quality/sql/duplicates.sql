-- Contracts that occur more often than they can: the same key where the root is known, more than two
-- rows (AM and PM series of a monthly expiration) where it is not, or the same values twice.
-- in:    quality_rows; $first
-- out:   session, "check", count, open_interest, value
-- grain: session x check
-- unit:  count of surplus rows; value their share of all rows
-- Few keys occur twice, if any: what tells their rows apart is looked for in these alone.
WITH repeated AS (
    SELECT session, root, expiry, strike, "right"
    FROM quality_rows
    WHERE session >= $first
    GROUP BY session, root, expiry, strike, "right"
    HAVING count(*) > 1
),
keyed AS (
    SELECT
        q.session,
        count(*) AS n,
        any_value(q.root) AS root,
        dayofmonth(q.expiry) BETWEEN 14 AND 22 AS maybe_monthly,
        sum(open_interest) AS oi,
        count(DISTINCT settlement) AS settlements,
        count(DISTINCT {'oi': open_interest, 'bid': bid, 'ask': ask, 'iv': iv, 'last': "last"}) AS different,
        bool_or(open_interest > 0 AND coalesce(bid, iv, "last") > 0) AS holds_values
    FROM quality_rows AS q
    INNER JOIN repeated AS r
        ON q.session = r.session
        AND q.root IS NOT DISTINCT FROM r.root
        AND q.expiry = r.expiry
        AND q.strike = r.strike
        AND q."right" = r."right"
    GROUP BY q.session, q.root, q.expiry, q.strike, q."right"
),
sizes AS (
    SELECT session, count(*) AS n
    FROM quality_rows
    WHERE session >= $first
    GROUP BY session
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
    d.session,
    'duplicate_contracts' AS "check",
    sum(d.extra)::BIGINT AS "count",
    sum(d.oi * d.extra / d.n) AS open_interest,
    sum(d.extra) / any_value(s.n) AS value
FROM surplus AS d
INNER JOIN sizes AS s ON d.session = s.session
GROUP BY d.session
HAVING sum(d.extra) > 0
ORDER BY d.session
