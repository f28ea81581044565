-- Settle every contract in the morning or at the close, where the root or the vendor says so or one
-- rule holds for all.
-- In:    dated (see ingest_dated); $rule (AM, PM or NULL: the root or a column must say)
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
        WHEN root IS NOT NULL THEN 'PM'
        WHEN $rule IS NOT NULL THEN CAST($rule AS VARCHAR)
        WHEN reject IS NULL THEN refuse('', 'settlement', file_index)
    END AS settlement
FROM dated
