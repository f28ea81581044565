-- Chains with the dealers' positions, as plain numbers: rebuild_scan.sql and two columns.
-- in:    positioned_rows, a view: the chains, position (contracts, NULL: unknown) and
--        position_known_at (NULL: none of its own); $first, $last: bounds of the sessions;
--        $settled: sources whose "last" is an official settlement price
-- out:   one row per contract per snapshot, only what a rebuild needs
-- order: the lake's, as in sort.sql: a join does not keep it
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
    coalesce(datediff('day', DATE '1970-01-01', oi_asof), -1)::INTEGER AS oi_asof,
    coalesce(r."position", 'nan'::DOUBLE) AS position,
    coalesce(epoch_us(position_known_at), -1) AS position_known_us
FROM positioned_rows AS r
WHERE session BETWEEN $first AND $last
ORDER BY
    r.session, r.quote_ts, r.expiry, r.settlement, r.strike, r."right", r.root,
    r.open_interest, r.bid, r.ask, r."last", r.iv, r.iv_outside, r.delta, r.gamma, r.volume,
    r.known_at, r.source
