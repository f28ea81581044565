-- Settle every contract in the morning or at the close, as its root, a column or the vendor's rule
-- says, and give it the moment at which it stops existing.
-- In:    dated (see ingest_dated); $rule (AM, PM, third_friday, or NULL: the root or a column says)
-- Out:   canonical columns but underlying and source; file_index, file_row, reject;
--        morning_ts: NULL where settlement is decided. Where it is not (a monthly expiration under
--        the third-Friday rule), settlement is NULL, expiry_ts the one of PM and morning_ts of AM.
-- Grain: one row per row of the files
-- Unit:  canonical
WITH settled AS (
    SELECT
        *,
        CASE
            WHEN stated_settlement IN ('AM', 'A') THEN 'AM'
            WHEN stated_settlement IN ('PM', 'P') THEN 'PM'
            WHEN stated_settlement IS NOT NULL
                THEN refuse(stated_settlement, 'settlement', file_index)
            WHEN list_contains(['SPX', 'NDX', 'RUT', 'DJX', 'VIX'], root) THEN 'AM'
            WHEN root IS NOT NULL THEN 'PM'
            WHEN $rule = 'third_friday' THEN CASE WHEN is_monthly THEN NULL ELSE 'PM' END
            WHEN $rule IS NOT NULL THEN CAST($rule AS VARCHAR)
            WHEN reject IS NULL THEN refuse('', 'settlement', file_index)
        END AS settlement
    FROM dated
)
SELECT
    file_index,
    file_row,
    reject,
    session,
    quote_ts,
    root,
    expiry,
    settlement,
    coalesce(
        stated_expiry_ts,
        CASE settlement WHEN 'AM' THEN expiry_open_ts ELSE expiry_close_ts END
    ) AS expiry_ts,
    CASE WHEN settlement IS NULL THEN coalesce(stated_expiry_ts, expiry_open_ts) END AS morning_ts,
    strike,
    "right",
    open_interest,
    oi_asof,
    volume,
    bid,
    ask,
    last,
    iv,
    iv_outside,
    delta,
    gamma,
    spot,
    multiplier,
    CASE
        WHEN known_at IS NULL AND reject IS NULL THEN refuse('', 'known_at', file_index)
        ELSE known_at
    END AS known_at
FROM settled
