-- Give every row its session and moments, and the first reason to reject it, if there is one.
-- In:    contracts (typed rows of all files), sessions, expiries, stamps (calendar tables);
--        $underlying (rows of others are left out where the files name it),
--        $known_is_quote (rows are public at their stamp)
-- Out:   canonical columns but settlement, expiry_ts and source; what those two follow from; reject
-- Grain: one row per row of the files
-- Unit:  canonical
WITH placed AS (
    SELECT
        c.*,
        coalesce(
            c.session,
            CASE WHEN c.quote_ts >= t.open_ts THEN t.session ELSE t.before END
        ) AS stated_session,
        CASE
            WHEN list_contains(['C', 'CALL', 'CALLS', 'CE'], c."right") THEN 'C'
            WHEN list_contains(['P', 'PUT', 'PUTS', 'PE'], c."right") THEN 'P'
        END AS side
    FROM contracts AS c
    LEFT JOIN stamps AS t ON t.day = CAST(c.quote_ts AS DATE)
    WHERE c.underlying IS NULL OR c.underlying = $underlying
)
SELECT
    p.file_index,
    p.file_row,
    s.session,
    least(coalesce(p.quote_ts, s.quote_ts), s.close_ts) AS quote_ts,
    p.root,
    p.expiry,
    p.settlement AS stated_settlement,
    p.expiry_ts AS stated_expiry_ts,
    e.open_ts AS expiry_open_ts,
    e.close_ts AS expiry_close_ts,
    e.is_monthly,
    p.strike,
    p.side AS "right",
    p.open_interest,
    CASE WHEN p.open_interest IS NOT NULL THEN coalesce(p.oi_asof, s.oi_asof) END AS oi_asof,
    p.volume,
    p.bid,
    p.ask,
    p.last,
    CASE WHEN p.iv BETWEEN 0.01 AND 10 THEN p.iv END AS iv,
    coalesce(
        CASE WHEN p.iv > 0 AND p.iv NOT BETWEEN 0.01 AND 10 THEN p.iv END, p.iv_outside
    ) AS iv_outside,
    p.delta,
    p.gamma,
    p.spot,
    coalesce(p.multiplier, 100) AS multiplier,
    -- NULLs do not count: a column, the rule, or the later of the two
    greatest(
        p.known_at,
        CASE WHEN $known_is_quote THEN coalesce(p.quote_ts, s.quote_ts) ELSE s.known_at END
    ) AS known_at,
    CASE
        WHEN s.session IS NULL THEN 'not_a_session'
        WHEN p.spot IS NULL OR p.spot <= 0 THEN 'spot_missing'
        WHEN e.expiry IS NULL OR p.strike IS NULL OR p.strike <= 0 OR p.side IS NULL
            THEN 'bad_contract'
        WHEN p.open_interest < 0 THEN 'negative_open_interest'
    END AS reject
FROM placed AS p
LEFT JOIN sessions AS s ON s.session = p.stated_session
LEFT JOIN expiries AS e ON e.expiry = p.expiry
