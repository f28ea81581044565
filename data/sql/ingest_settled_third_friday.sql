-- Settle contracts of unknown root by the third-Friday rule: a monthly expiration's contract settles
-- in the morning, except the second, in file order, of two rows of one contract and snapshot.
-- In:    dated (see ingest_dated)
-- Out:   dated with settlement
-- Grain: one row per row of the files
-- Unit:  canonical
SELECT
    *,
    CASE
        WHEN stated_settlement IN ('AM', 'A') THEN 'AM'
        WHEN stated_settlement IN ('PM', 'P') THEN 'PM'
        WHEN stated_settlement IS NOT NULL THEN refuse(stated_settlement, 'settlement', file_index)
        WHEN root IN ('SPX', 'NDX', 'RUT', 'DJX', 'VIX') THEN 'AM'
        WHEN root IS NOT NULL OR NOT is_monthly THEN 'PM'
        WHEN row_number() OVER same_contract = 1 THEN 'AM'
        ELSE 'PM'
    END AS settlement
FROM dated
WINDOW same_contract AS (
    PARTITION BY file_index, session, quote_ts, root, expiry, strike, "right"
    ORDER BY file_row
)
