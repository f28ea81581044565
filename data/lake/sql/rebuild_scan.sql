-- Chains, as plain numbers, in the order in which the lake keeps them: what chain_columns.py reads
-- without a database, for files that others have written anew.
-- in:    $files: the lake's chain files of one underlying; $first, $last: bounds of the sessions;
--        $settled: sources whose "last" is an official settlement price
-- out:   one row per contract per snapshot, only what a rebuild needs
-- order: the lake's, as in sort.sql: DuckDB keeps that of the files only where it joins nothing, and
--        it looks for a source among more than a few by a join
-- units: dates and moments as they are kept, UTC; points; contracts; decimal volatility
SELECT
    session,
    quote_ts AS quote_us,
    known_at AS known_us,
    expiry,
    expiry_ts AS expiry_us,
    settlement = 'AM' AS morning,
    "right" = 'C' AS call,
    strike,
    open_interest,
    bid,
    ask,
    -- an official settlement price stands in where there are no quotes; left out where no source
    -- declares any
    CASE
        WHEN bid IS NULL AND ask IS NULL AND "last" > 0 AND list_contains($settled::VARCHAR[], source)
            THEN "last"
    END AS settlement_price,
    iv,
    spot,
    multiplier,
    -- a number per root, 0 where it is unknown
    xor(hash(root), hash(NULL::VARCHAR)) AS root_number,
    coalesce(oi_asof, DATE '1969-12-31') AS oi_asof
FROM read_parquet($files, hive_partitioning = false)
WHERE session BETWEEN $first AND $last
ORDER BY
    session, quote_ts, expiry, settlement, strike, "right", root, open_interest, bid, ask, "last",
    iv, iv_outside, delta, gamma, volume, known_at, source
