-- The latest snapshot of every session of a block, with what the quality checks derive from a row.
-- in:    $files (chain files of one underlying), $first, $last (sessions, inclusive), $settled
--        (sources whose "last" is an official settlement price)
-- out:   temporary table quality_rows
-- grain: one contract per session (rows that share a key are kept)
-- unit:  t in years (ACT/365 to the contract's end, may be negative); prices in points
CREATE OR REPLACE TEMP TABLE quality_rows AS
WITH block AS MATERIALIZED (
    SELECT
        session, quote_ts, root, expiry, settlement, expiry_ts, strike, "right", open_interest,
        oi_asof, bid, ask, "last", iv, delta, gamma, spot, multiplier, known_at, source
    FROM read_parquet($files, hive_partitioning = false)
    WHERE session BETWEEN $first AND $last
),
latest AS (
    SELECT session, max(quote_ts) AS quote_ts
    FROM block
    GROUP BY session
),
spots AS (
    SELECT b.session, median(b.spot) AS s
    FROM block AS b
    INNER JOIN latest AS l ON b.session = l.session AND b.quote_ts = l.quote_ts
    GROUP BY b.session
),
ordered AS (
    SELECT
        l.session,
        l.quote_ts,
        p.s,
        lag(l.session) OVER (ORDER BY l.session) AS previous,
        row_number() OVER (ORDER BY l.session) AS place
    FROM latest AS l
    INNER JOIN spots AS p ON l.session = p.session
)
SELECT
    b.*,
    o.previous,
    o.place,
    o.s,
    b.expiry_ts > b.quote_ts AS live,
    (epoch_us(b.expiry_ts) - epoch_us(b.quote_ts)) / 31536000000000.0 AS t,
    coalesce(b.bid > 0 AND b.ask >= b.bid, false) AS two_sided,
    coalesce(list_contains($settled::VARCHAR[], b.source), false) AS settled,
    -- as the rebuild prices a contract: between two-sided quotes, else where settled
    CASE
        WHEN b.bid > 0 AND b.ask >= b.bid THEN (b.bid + b.ask) / 2
        WHEN b.bid IS NULL AND b.ask IS NULL AND b."last" > 0
            AND list_contains($settled::VARCHAR[], b.source) THEN b."last"
    END AS price
FROM block AS b
INNER JOIN ordered AS o ON b.session = o.session AND b.quote_ts = o.quote_ts
