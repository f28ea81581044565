-- When the rows of each session were quoted, settled and published: what a regime row may not precede.
-- Inputs:  $files, list of a lake's chain files.
-- Outputs: session, quote_ts, known_at (latest of the session's rows), oi_asof (latest).
-- Grain:   one row per session, in order.
-- Unit:    time stamps in UTC.
SELECT
    session,
    max(quote_ts) AS quote_ts,
    max(known_at) AS known_at,
    max(oi_asof) AS oi_asof
FROM read_parquet($files)
GROUP BY session
ORDER BY session
