-- Give rows without a spot the one that put-call parity implies.
-- In:    view typed (typed rows of all files), $settled (last is an official settlement price),
--        $files (numbers of the files whose rows may be given one)
-- Out:   the same rows and columns, in file order
-- Grain: one row per row
-- Unit:  points
-- The forward of the nearest expiry: the median of the five strikes where call and put are closest.
WITH priced AS (
    SELECT
        coalesce(session, CAST(quote_ts AS DATE)) AS day,
        quote_ts,
        underlying,
        expiry,
        strike AS k,
        CASE
            WHEN upper(left(trim("right"), 1)) = 'C' OR left(trim("right"), 1) IN ('買', '认', '認', '购', '購') THEN 'C'
            ELSE 'P'
        END AS side,
        CASE
            WHEN bid > 0 AND ask >= bid THEN (bid + ask) / 2
            WHEN $settled AND "last" > 0 THEN "last"
        END AS mid
    FROM typed
    WHERE list_contains($files, file_index)
),
pairs AS (
    SELECT
        day,
        quote_ts,
        underlying,
        expiry,
        k,
        avg(mid) FILTER (side = 'C') AS c,
        avg(mid) FILTER (side = 'P') AS p
    FROM priced
    WHERE mid IS NOT NULL AND expiry > day
    GROUP BY ALL
    HAVING count(*) FILTER (side = 'C') > 0 AND count(*) FILTER (side = 'P') > 0
),
closest AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY day, quote_ts, underlying, expiry ORDER BY abs(c - p), k
        ) AS n
    FROM pairs
),
implied AS (
    SELECT day, quote_ts, underlying, expiry, median(k + c - p) AS f
    FROM closest
    WHERE n <= 5
    GROUP BY ALL
    HAVING count(*) = 5
),
spots AS (
    SELECT day, quote_ts, underlying, arg_min(f, expiry) AS implied_spot
    FROM implied
    GROUP BY ALL
)
SELECT typed.* REPLACE (
    CASE
        WHEN typed.spot IS NULL AND list_contains($files, typed.file_index) THEN spots.implied_spot
        ELSE typed.spot
    END AS spot
)
FROM typed
LEFT JOIN spots
    ON spots.day = coalesce(typed.session, CAST(typed.quote_ts AS DATE))
    AND spots.quote_ts IS NOT DISTINCT FROM typed.quote_ts
    AND spots.underlying IS NOT DISTINCT FROM typed.underlying
-- a join hands the last rows of a row group on late; of two rows of a contract the first settles in the
-- morning
ORDER BY typed.file_index, typed.file_row
