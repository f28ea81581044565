-- Every name of a session beside the others: ranks, shares, contributions.
-- in:    rows (underlying, session, known_at, spot, regime, quality, net_gex, gross_gex, net_to_gross,
--        sector, dollar_volume, market_value; one row per underlying and session)
-- out:   the same, with counts (whether it is part of sums: its quality is ok and its numbers are there),
--        rank_net_gex, rank_net_to_gross (0 ... 1 from the most negative; ties share their mean; NULL with one
--        name), share_of_absolute, share_of_gross, per_dollar_volume, per_market_value
-- grain: one row per underlying and session
-- unit:  net and gross: currency per 1 %; shares 0 ... 1; per_...: per 1 % move
WITH counted AS (
    SELECT
        *,
        coalesce(quality = 'ok' AND isfinite(net_gex) AND isfinite(gross_gex), false) AS counts
    FROM rows
),
usable AS (
    SELECT
        *,
        CASE WHEN counts THEN net_gex END AS net,
        CASE WHEN counts THEN gross_gex END AS gross,
        CASE WHEN counts AND isfinite(net_to_gross) THEN net_to_gross END AS ratio
    FROM counted
),
ranked AS (
    SELECT
        *,
        count(net) OVER day AS names,
        count(ratio) OVER day AS ratios,
        sum(abs(net)) OVER day AS absolute,
        sum(gross) OVER day AS all_gross,
        CASE WHEN net IS NOT NULL THEN
            rank() OVER (PARTITION BY session ORDER BY net NULLS LAST)
            + (count(*) OVER (PARTITION BY session, net) - 1) / 2.0 END AS net_place,
        CASE WHEN ratio IS NOT NULL THEN
            rank() OVER (PARTITION BY session ORDER BY ratio NULLS LAST)
            + (count(*) OVER (PARTITION BY session, ratio) - 1) / 2.0 END AS ratio_place
    FROM usable
    WINDOW day AS (PARTITION BY session)
)
SELECT
    session,
    underlying,
    sector,
    known_at,
    spot,
    regime,
    quality,
    counts,
    net_gex,
    gross_gex,
    net_to_gross,
    CASE WHEN names > 1 THEN (net_place - 1) / (names - 1) END AS rank_net_gex,
    CASE WHEN ratios > 1 THEN (ratio_place - 1) / (ratios - 1) END AS rank_net_to_gross,
    CASE WHEN absolute > 0 THEN net / absolute END AS share_of_absolute,
    CASE WHEN all_gross > 0 THEN gross / all_gross END AS share_of_gross,
    CASE WHEN dollar_volume > 0 THEN net / dollar_volume END AS per_dollar_volume,
    CASE WHEN market_value > 0 THEN net / market_value END AS per_market_value
FROM ranked
ORDER BY session, underlying
