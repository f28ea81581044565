-- Chains, as plain numbers, in the order in which the lake keeps them.
-- in:    $files: the lake's chain files of one underlying; $first, $last: bounds of the sessions;
--        $settled: sources whose "last" is an official settlement price
-- out:   one row per contract per snapshot, only what a rebuild needs
-- order: session, quote_ts, expiry, settlement, strike, right (the files' own order)
-- units: days or microseconds since 1970, UTC; points; contracts; decimal volatility; NaN = NULL
SELECT
    datediff('day', DATE '1970-01-01', session)::INTEGER AS session,
    epoch_us(quote_ts) AS quote_us,
    epoch_us(known_at) AS known_us,
    datediff('day', DATE '1970-01-01', expiry)::INTEGER AS expiry,
    epoch_us(expiry_ts) AS expiry_us,
    ((settlement = 'AM')::UTINYINT + 2 * ("right" = 'C')::UTINYINT)::UTINYINT AS kind,
    strike,
    coalesce(open_interest, 'nan'::DOUBLE) AS open_interest,
    coalesce(bid, 'nan'::DOUBLE) AS bid,
    coalesce(ask, 'nan'::DOUBLE) AS ask,
    -- an official settlement price stands in where there are no quotes; the first branch spares the
    -- columns of the second where no source declares any
    CASE
        WHEN len($settled::VARCHAR[]) = 0 THEN 'nan'::DOUBLE
        WHEN bid IS NULL AND ask IS NULL AND "last" > 0 AND list_contains($settled::VARCHAR[], source)
            THEN "last"
        ELSE 'nan'::DOUBLE
    END AS settlement_price,
    coalesce(iv, 'nan'::DOUBLE) AS iv,
    spot,
    multiplier,
    -- a number per root, 0 where it is unknown
    CASE WHEN root IS NULL THEN 0 ELSE greatest(hash(root), 1) END::UBIGINT AS root_number,
    coalesce(datediff('day', DATE '1970-01-01', oi_asof), -1)::INTEGER AS oi_asof
FROM read_parquet($files, hive_partitioning = false)
WHERE session BETWEEN $first AND $last
