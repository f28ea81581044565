-- Chains with the dealers' positions, as plain numbers: rebuild_scan.sql and two columns.
-- in:    positioned_rows, a view: the chains, position (contracts, NULL: unknown) and
--        position_known_at (NULL: none of its own); $first, $last: bounds of the sessions;
--        $settled: sources whose "last" is an official settlement price
-- out:   one row per contract per snapshot, only what a rebuild needs
-- order: the lake's, as in sort.sql: a join does not keep it
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
    coalesce(oi_asof, DATE '1969-12-31') AS oi_asof,
    r."position",
    coalesce(position_known_at, TIMESTAMPTZ '1969-12-31 23:59:59.999999+00') AS position_known_us
FROM positioned_rows AS r
WHERE session BETWEEN $first AND $last
ORDER BY
    r.session, r.quote_ts, r.expiry, r.settlement, r.strike, r."right", r.root,
    r.open_interest, r.bid, r.ask, r."last", r.iv, r.iv_outside, r.delta, r.gamma, r.volume,
    r.known_at, r.source
