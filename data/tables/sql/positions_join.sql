-- Chains with the dealers' positions beside their contracts.
-- in:    chain_rows, a view of the lake's chains; positions, a view of the user's positions
--        (session, expiry, settlement or NULL, root or NULL, strike, right, position, known_at)
-- out:   the columns of the chain, position and position_known_at; NULL where there is no position
-- grain: one row per contract per snapshot (positions_ambiguous.sql has seen to it)
-- units: contracts, positive where dealers are long; UTC
SELECT c.*, p."position", p.known_at AS position_known_at
FROM chain_rows AS c
LEFT JOIN positions AS p
    ON c.session = p.session
    AND c.expiry = p.expiry
    AND c.strike = p.strike
    AND c."right" = p."right"
    AND (p.settlement IS NULL OR c.settlement = p.settlement)
    AND (p.root IS NULL OR c.root = p.root)
