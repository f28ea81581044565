-- Every row of the sessions, as the rules on contradicting rows take them.
-- in:    quality_rows; $first
-- out:   session, s (spot), expiry and kind (bit 0: AM, bit 1: call), root_number (0 where unknown), strike,
--        years, price, bid, ask, iv, open_interest, multiplier
-- order: session, expiry, settlement, strike, right: as in the lake
-- unit:  days since 1970; years to the contract's end, not positive once it has ended; NaN = NULL
SELECT
    session,
    s,
    datediff('day', DATE '1970-01-01', expiry)::INTEGER AS expiry,
    ((settlement = 'AM')::UTINYINT + 2 * ("right" = 'C')::UTINYINT)::UTINYINT AS kind,
    CASE WHEN root IS NULL THEN 0 ELSE greatest(hash(root), 1) END::UBIGINT AS root_number,
    strike,
    t AS years,
    coalesce(price, 'nan'::DOUBLE) AS price,
    coalesce(bid, 'nan'::DOUBLE) AS bid,
    coalesce(ask, 'nan'::DOUBLE) AS ask,
    coalesce(iv, 'nan'::DOUBLE) AS iv,
    coalesce(open_interest, 'nan'::DOUBLE) AS open_interest,
    coalesce(multiplier, 'nan'::DOUBLE) AS multiplier
FROM quality_rows
WHERE session >= $first
ORDER BY session, expiry, settlement, strike, "right"
