-- Chains for the rules of peers: what a rebuild reads, and what only they use.
-- in:    $files: the lake's chain files of one underlying; $first, $last: bounds of the sessions
-- out:   one row per contract per snapshot
-- order: session, quote_ts, expiry, settlement, strike, right (the files' own order)
-- units: days or microseconds since 1970, UTC; points; contracts; decimal volatility; NaN = NULL
SELECT
    datediff('day', DATE '1970-01-01', session)::INTEGER AS session,
    epoch_us(quote_ts) AS quote_us,
    epoch_us(known_at) AS known_us,
    datediff('day', DATE '1970-01-01', expiry)::INTEGER AS expiry,
    ((settlement = 'AM')::UTINYINT + 2 * ("right" = 'C')::UTINYINT)::UTINYINT AS kind,
    coalesce(root, settlement) AS root,
    strike,
    coalesce(open_interest, 'nan'::DOUBLE) AS open_interest,
    coalesce(bid, 'nan'::DOUBLE) AS bid,
    coalesce(ask, 'nan'::DOUBLE) AS ask,
    coalesce(iv, 'nan'::DOUBLE) AS iv,
    coalesce(iv, iv_outside, 'nan'::DOUBLE) AS iv_quoted,
    coalesce(gamma, 'nan'::DOUBLE) AS gamma,
    spot,
    multiplier,
    -- a number per root, 0 where it is unknown
    CASE WHEN root IS NULL THEN 0 ELSE greatest(hash(root), 1) END::UBIGINT AS root_number,
    coalesce(datediff('day', DATE '1970-01-01', oi_asof), -1)::INTEGER AS oi_asof
FROM read_parquet($files, hive_partitioning = false)
WHERE session BETWEEN $first AND $last
