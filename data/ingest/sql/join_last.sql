-- Keep the last row of each key.
-- In:    view joined_rows with key (number), place (number, ascending in file order), quote_ts, further columns
-- Out:   the columns of joined_rows
-- Grain: one row per key
-- Unit:  as in joined_rows
SELECT *
FROM joined_rows
QUALIFY row_number() OVER (PARTITION BY key ORDER BY quote_ts DESC NULLS LAST, place DESC) = 1
ORDER BY place
