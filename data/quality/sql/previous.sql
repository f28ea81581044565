-- A session against the one before it in the lake, contract by contract.
-- in:    quality_rows; $first
-- out:   session, "check", count, open_interest, value
-- grain: session x check
-- unit:  value a share of the contracts (or of the open interest) that both sessions could hold; for
--        copy_of_previous_session of those unchanged, at the same spot of those whose open interest is
--        (a copy fetched in the evening has volatilities of its own);
--        for open_interest_collapse and _jump the relative change of the common contracts' total
-- Contracts whose root is unknown are paired in their order of (settlement, open interest).
WITH numbered AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY session, root, expiry, settlement, strike, "right" ORDER BY open_interest, iv, bid
        ) AS copy
    FROM quality_rows
),
paired AS (
    SELECT
        n.session AS session,
        n.open_interest AS oi,
        p.open_interest AS oi_before,
        n.open_interest IS NOT DISTINCT FROM p.open_interest
            AND n.iv IS NOT DISTINCT FROM p.iv
            AND n.bid IS NOT DISTINCT FROM p.bid
            AND n.ask IS NOT DISTINCT FROM p.ask AS same,
        n.open_interest = p.open_interest AS same_oi,
        n.s = p.s AS same_spot
    FROM numbered AS n
    INNER JOIN numbered AS p
        ON p.session = n.previous
        AND p.expiry = n.expiry
        AND p.strike = n.strike
        AND p."right" = n."right"
        AND p.settlement = n.settlement
        AND p.root IS NOT DISTINCT FROM n.root
        AND p.copy = n.copy
    WHERE n.session >= $first
),
common AS (
    SELECT
        session,
        count(*) AS n,
        sum(oi) AS oi,
        sum(oi_before) AS oi_before,
        count(*) FILTER (same) AS same,
        sum(oi) FILTER (same) AS same_value_oi,
        count(*) FILTER (same_oi) AS same_oi,
        count(*) >= 50 AND count(*) FILTER (same_oi) >= 0.98 * count(*) AND bool_and(same_spot) AS evening_copy,
        sum(oi) FILTER (same_oi) AS same_oi_oi
    FROM paired
    GROUP BY session
),
listed AS (
    SELECT
        session,
        unnest([
            {
                'check': 'copy_of_previous_session',
                'count': CASE WHEN evening_copy THEN greatest(same, same_oi) ELSE same END,
                'open_interest': CASE WHEN evening_copy THEN same_oi_oi ELSE same_value_oi END,
                'value': CASE WHEN evening_copy THEN greatest(same, same_oi) ELSE same END / n
            },
            {'check': 'frozen_open_interest', 'count': same_oi, 'open_interest': same_oi_oi, 'value': CASE WHEN n >= 50 THEN same_oi / n END},
            {'check': 'open_interest_collapse', 'count': n, 'open_interest': oi_before - oi, 'value': 1 - oi / nullif(oi_before, 0)},
            {'check': 'open_interest_jump', 'count': n, 'open_interest': oi - oi_before, 'value': oi / nullif(oi_before, 0) - 1}
        ], max_depth := 2)
    FROM common
)
SELECT session, "check", "count", open_interest, value
FROM listed
WHERE value > 0
ORDER BY session, "check"
