-- Add the spot that put-call parity implies to chains that state none.
-- In:    view chain with session, expiry, strike, "right", bid, ask (text or numbers)
-- Out:   the columns of chain, and spot; NULL for sessions without five two-sided strikes
-- Grain: one row per row of chain
-- Unit:  points
WITH priced AS (
    SELECT
        session,
        underlying,
        expiry,
        TRY_CAST(strike AS DOUBLE) AS k,
        upper(left(trim("right"), 1)) AS side,
        (TRY_CAST(bid AS DOUBLE) + TRY_CAST(ask AS DOUBLE)) / 2 AS mid
    FROM chain
    WHERE TRY_CAST(bid AS DOUBLE) > 0 AND TRY_CAST(ask AS DOUBLE) >= TRY_CAST(bid AS DOUBLE)
),
pairs AS (
    SELECT
        session,
        underlying,
        expiry,
        k,
        avg(mid) FILTER (side = 'C') AS c,
        avg(mid) FILTER (side = 'P') AS p
    FROM priced
    WHERE CAST(expiry AS VARCHAR) > CAST(session AS VARCHAR)
    GROUP BY session, underlying, expiry, k
    HAVING count(*) FILTER (side = 'C') > 0 AND count(*) FILTER (side = 'P') > 0
),
closest AS (
    SELECT *, row_number() OVER (PARTITION BY session, underlying, expiry ORDER BY abs(c - p), k) AS n
    FROM pairs
),
implied AS (
    SELECT session, underlying, expiry, median(k + c - p) AS f
    FROM closest
    WHERE n <= 5
    GROUP BY session, underlying, expiry
    HAVING count(*) = 5
),
spots AS (
    SELECT session, underlying, arg_min(f, expiry) AS spot
    FROM implied
    GROUP BY session, underlying
)
SELECT chain.*, spots.spot
FROM chain
LEFT JOIN spots
    ON spots.session = chain.session AND spots.underlying IS NOT DISTINCT FROM chain.underlying
