-- A chain without rows, to which an expression is bound.
-- out:   no rows; columns and types of the canonical chain
-- grain: one row per contract per snapshot
SELECT
    NULL::VARCHAR AS underlying, NULL::DATE AS session, NULL::TIMESTAMPTZ AS quote_ts,
    NULL::VARCHAR AS root, NULL::DATE AS expiry, NULL::VARCHAR AS settlement,
    NULL::TIMESTAMPTZ AS expiry_ts, NULL::DOUBLE AS strike, NULL::VARCHAR AS "right",
    NULL::DOUBLE AS open_interest, NULL::DATE AS oi_asof, NULL::DOUBLE AS volume,
    NULL::DOUBLE AS bid, NULL::DOUBLE AS ask, NULL::DOUBLE AS "last", NULL::DOUBLE AS iv,
    NULL::DOUBLE AS iv_outside, NULL::DOUBLE AS delta, NULL::DOUBLE AS gamma,
    NULL::DOUBLE AS spot, NULL::DOUBLE AS multiplier, NULL::TIMESTAMPTZ AS known_at,
    NULL::VARCHAR AS source
WHERE false
