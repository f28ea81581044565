-- Chains for the rules of peers: what a rebuild reads, and what only they use.
-- in:    $files: the lake's chain files of one underlying; $first, $last: bounds of the sessions
-- out:   one row per contract per snapshot
-- order: session, quote_ts, expiry, settlement, strike, right (the files' own order)
-- units: dates and moments as they are kept, UTC; points; contracts; decimal volatility
SELECT
    session,
    quote_ts AS quote_us,
    known_at AS known_us,
    expiry,
    settlement = 'AM' AS morning,
    "right" = 'C' AS call,
    coalesce(root, settlement) AS root,
    strike,
    open_interest,
    bid,
    ask,
    iv,
    coalesce(iv, iv_outside) AS iv_quoted,
    gamma,
    spot,
    multiplier,
    -- a number per root, 0 where it is unknown
    xor(hash(root), hash(NULL::VARCHAR)) AS root_number,
    coalesce(oi_asof, DATE '1969-12-31') AS oi_asof
FROM read_parquet($files, hive_partitioning = false)
WHERE session BETWEEN $first AND $last
