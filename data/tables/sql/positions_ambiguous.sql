-- A position that fits more than one contract of a snapshot.
-- in:    chain_rows, positions: as in positions_join.sql; $first, $last: bounds of the sessions
-- out:   at most one row: session, expiry, strike, right, contracts
-- grain: one position in one snapshot
SELECT p.session, p.expiry, p.strike, p."right", count(*) AS contracts
FROM chain_rows AS c
JOIN positions AS p
    ON c.session = p.session
    AND c.expiry = p.expiry
    AND c.strike = p.strike
    AND c."right" = p."right"
    AND (p.settlement IS NULL OR c.settlement = p.settlement)
    AND (p.root IS NULL OR c.root = p.root)
WHERE c.session BETWEEN $first AND $last
GROUP BY p.session, p.expiry, p.settlement, p.root, p.strike, p."right", c.quote_ts
HAVING count(*) > 1
ORDER BY p.session, p.expiry, p.strike, p."right"
LIMIT 1
