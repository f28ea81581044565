-- Sums over names by session, and by sector where one is asked for.
-- in:    names (from cross_section_names), universe (underlying, sector), $by_sector
-- out:   session, sector (NULL: the whole market), known_at (of the last name known, counted or not), names
--        (those that count), abstaining (with a row that does not count), lacking (of the universe, without a
--        row), net_gex, gross_gex, net_to_gross, share_long, share_short, share_neutral (of names that
--        count), concentration (sum of squared shares of absolute net GEX), largest and its share,
--        dispersion (standard deviation of net_to_gross over names), regime_entropy (0: all alike; 1: the
--        three regimes equally frequent)
-- grain: one row per session (and sector)
-- unit:  net and gross: currency per 1 %
WITH grouped AS (
    SELECT *, CASE WHEN $by_sector THEN coalesce(sector, 'unknown') END AS part
    FROM names
),
members AS (
    SELECT CASE WHEN $by_sector THEN coalesce(sector, 'unknown') END AS part, count(*) AS size
    FROM universe
    GROUP BY ALL
),
days AS (
    SELECT DISTINCT session FROM names
),
summed AS (
    SELECT
        session,
        part,
        max(known_at) AS known_at,
        count(*) FILTER (counts) AS names,
        count(*) FILTER (NOT counts) AS abstaining,
        count(*) AS present,
        sum(net_gex) FILTER (counts) AS net_gex,
        sum(gross_gex) FILTER (counts) AS gross_gex,
        sum(abs(net_gex)) FILTER (counts) AS absolute,
        sum(net_gex * net_gex) FILTER (counts) AS squares,
        count(*) FILTER (counts AND regime = 'long') AS longs,
        count(*) FILTER (counts AND regime = 'short') AS shorts,
        count(*) FILTER (counts AND regime = 'neutral') AS neutrals,
        count(*) FILTER (counts AND regime IN ('long', 'short', 'neutral')) AS labelled,
        first(underlying ORDER BY abs(net_gex) DESC, underlying) FILTER (counts) AS largest,
        max(abs(net_gex)) FILTER (counts) AS most,
        stddev_samp(net_to_gross) FILTER (counts AND isfinite(net_to_gross)) AS dispersion
    FROM grouped
    GROUP BY ALL
)
SELECT
    d.session,
    m.part AS sector,
    s.known_at,
    coalesce(s.names, 0) AS names,
    coalesce(s.abstaining, 0) AS abstaining,
    m.size - coalesce(s.present, 0) AS lacking,
    s.net_gex,
    s.gross_gex,
    CASE WHEN s.gross_gex > 0 THEN s.net_gex / s.gross_gex END AS net_to_gross,
    CASE WHEN s.names > 0 THEN s.longs / s.names END AS share_long,
    CASE WHEN s.names > 0 THEN s.shorts / s.names END AS share_short,
    CASE WHEN s.names > 0 THEN s.neutrals / s.names END AS share_neutral,
    CASE WHEN s.absolute > 0 THEN s.squares / (s.absolute * s.absolute) END AS concentration,
    s.largest,
    CASE WHEN s.absolute > 0 THEN s.most / s.absolute END AS largest_share,
    s.dispersion,
    CASE WHEN s.labelled > 0 THEN -(
        coalesce(nullif(s.longs, 0) / s.labelled * ln(nullif(s.longs, 0) / s.labelled), 0)
        + coalesce(nullif(s.shorts, 0) / s.labelled * ln(nullif(s.shorts, 0) / s.labelled), 0)
        + coalesce(nullif(s.neutrals, 0) / s.labelled * ln(nullif(s.neutrals, 0) / s.labelled), 0)
    ) / ln(3) END AS regime_entropy
FROM days AS d
CROSS JOIN members AS m
LEFT JOIN summed AS s ON s.session = d.session AND s.part IS NOT DISTINCT FROM m.part
ORDER BY d.session, m.part
