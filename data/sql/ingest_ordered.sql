-- The last step of the ingest: canonical rows in the lake's order, rejected ones first.
-- In:    settled (see ingest_settled)
-- Out:   canonical columns but underlying and source, which are the same for whole files;
--        file_index; reject
-- Grain: one row per row of the files
-- Unit:  canonical
-- The keys have a fixed width, which sorts faster; the hash only brings equal roots together, their
-- alphabetical order is made afterwards, for the few rows that share all other keys.
SELECT
    file_index,
    reject,
    session,
    quote_ts,
    root,
    expiry,
    settlement,
    coalesce(
        stated_expiry_ts,
        CASE settlement WHEN 'AM' THEN expiry_open_ts ELSE expiry_close_ts END
    ) AS expiry_ts,
    strike,
    "right",
    open_interest,
    oi_asof,
    volume,
    bid,
    ask,
    last,
    iv,
    iv_outside,
    delta,
    gamma,
    spot,
    multiplier,
    CASE
        WHEN known_at IS NULL AND reject IS NULL THEN refuse('', 'known_at', file_index)
        ELSE known_at
    END AS known_at
FROM settled
ORDER BY
    reject IS NULL, session, quote_ts, expiry, settlement = 'PM', strike, "right" = 'P',
    hash(root), file_index, file_row
