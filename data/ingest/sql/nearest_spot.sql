-- Give all rows of a snapshot the spot of its nearest expiry: the file states each expiry's own future.
-- In:    view typed (typed rows of all files)
-- Out:   the same rows and columns; rows without a spot, or with one that is not positive, as they were
-- Grain: one row per row
-- Unit:  points
WITH futures AS (
    SELECT
        coalesce(session, CAST(quote_ts AS DATE)) AS day,
        quote_ts,
        underlying,
        coalesce(expiry, CAST(expiry_ts AS DATE)) AS expires,
        quantile_disc(spot, 0.5) AS f  -- one that is stated, whatever the order of rows
    FROM typed
    WHERE spot > 0 AND coalesce(expiry, CAST(expiry_ts AS DATE)) >= coalesce(session, CAST(quote_ts AS DATE))
    GROUP BY ALL
),
spots AS (
    SELECT day, quote_ts, underlying, arg_min(f, expires) AS nearest
    FROM futures
    GROUP BY ALL
)
SELECT typed.* REPLACE (
    CASE WHEN typed.spot > 0 THEN coalesce(spots.nearest, typed.spot) ELSE typed.spot END AS spot
)
FROM typed
LEFT JOIN spots
    ON spots.day = coalesce(typed.session, CAST(typed.quote_ts AS DATE))
    AND spots.quote_ts IS NOT DISTINCT FROM typed.quote_ts
    AND spots.underlying IS NOT DISTINCT FROM typed.underlying
-- a join hands the last rows of a row group on late; of two rows of a contract the first settles in the
-- morning
ORDER BY typed.file_index, typed.file_row
