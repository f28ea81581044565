-- Read one Cboe quote table: a call and a put in each row become two rows, the call first.
-- In:    $files (one path), $lines (to skip), $spot, $printed (TIMESTAMPTZ)
-- Out:   contract, right, expiry (text), the quotes as text, spot, printed; file_index, file_row
-- Grain: one contract per row
-- Unit:  the vendor's
WITH both_sides AS (
    SELECT *, row_number() OVER () AS line
    FROM read_csv(
        $files,
        skip = $lines,
        header = false,
        auto_detect = false,
        delim = ',',
        quote = '"',
        escape = '"',
        null_padding = false,
        ignore_errors = false,
        strict_mode = true,
        max_line_size = 1048576,
        hive_partitioning = false,
        columns = {
            'expiry': 'VARCHAR',
            'c': 'VARCHAR', 'c_last': 'VARCHAR', 'c_net': 'VARCHAR', 'c_bid': 'VARCHAR',
            'c_ask': 'VARCHAR', 'c_volume': 'VARCHAR', 'c_iv': 'VARCHAR', 'c_delta': 'VARCHAR',
            'c_gamma': 'VARCHAR', 'c_oi': 'VARCHAR',
            'strike': 'VARCHAR',
            'p': 'VARCHAR', 'p_last': 'VARCHAR', 'p_net': 'VARCHAR', 'p_bid': 'VARCHAR',
            'p_ask': 'VARCHAR', 'p_volume': 'VARCHAR', 'p_iv': 'VARCHAR', 'p_delta': 'VARCHAR',
            'p_gamma': 'VARCHAR', 'p_oi': 'VARCHAR'
        }
    )
),
contracts AS (
    SELECT
        c AS contract, 'C' AS "right", expiry, strike, nullif(c_last, '0') AS "last",
        c_bid AS bid, c_ask AS ask, c_volume AS volume, c_iv AS iv, c_delta AS delta,
        c_gamma AS gamma, c_oi AS open_interest, 2 * line - 1 AS file_row
    FROM both_sides
    UNION ALL
    SELECT
        p, 'P', expiry, strike, nullif(p_last, '0'), p_bid, p_ask, p_volume, p_iv, p_delta,
        p_gamma, p_oi, 2 * line
    FROM both_sides
)
SELECT *, $spot::DOUBLE AS spot, $printed::TIMESTAMPTZ AS printed, 0 AS file_index
FROM contracts
