-- Read one file of Cboe's delayed quotes.
-- In:    $files (one path)
-- Out:   contract and its quotes, spot, stamp (UTC), quoted (New York text); file_index, file_row
-- Grain: one contract per row
-- Unit:  the vendor's
-- Without a last trade of the underlying, the quotes are 15 minutes older than the file.
WITH snapshot AS (
    SELECT
        timezone('UTC', "timestamp") AS stamp,
        data.current_price AS spot,
        timezone('America/New_York', data.last_trade_time) AS traded,
        data.options AS options
    FROM read_json(
        $files,
        format = 'unstructured',
        records = true,
        maximum_object_size = 268435456,
        hive_partitioning = false,
        columns = {
            'timestamp': 'TIMESTAMP',
            'data': 'STRUCT(
                current_price DOUBLE,
                last_trade_time TIMESTAMP,
                options STRUCT(
                    option VARCHAR, bid DOUBLE, ask DOUBLE, iv DOUBLE, open_interest DOUBLE,
                    volume DOUBLE, delta DOUBLE, gamma DOUBLE, last_trade_price DOUBLE
                )[]
            )'
        }
    )
),
listed AS (
    SELECT
        stamp,
        spot,
        least(coalesce(traded, stamp - INTERVAL 15 MINUTE), stamp) AS quoted,
        unnest(options) AS o,
        generate_subscripts(options, 1) AS file_row
    FROM snapshot
)
SELECT
    trim(o.option) AS contract,
    o.bid AS bid,
    o.ask AS ask,
    o.iv AS iv,
    o.open_interest AS open_interest,
    o.volume AS volume,
    o.delta AS delta,
    o.gamma AS gamma,
    nullif(o.last_trade_price, 0) AS "last",
    spot,
    stamp,
    quoted,
    0 AS file_index,
    file_row
FROM listed
