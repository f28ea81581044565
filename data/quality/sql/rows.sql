-- What single rows of a session say about it.
-- in:    quality_rows (load.sql); $first (sessions before it are context only)
-- out:   session, "check", count, open_interest, value (the share or size that is held against a limit)
-- grain: session x check
-- unit:  open_interest in contracts; value a share of 0 ... 1 unless the check says otherwise
-- Near the money: within 10 % of spot and 1.5 standard deviations at 20 % volatility.
WITH counted AS (
    SELECT
        session,
        count(*) AS n,
        count(*) FILTER (live) AS n_live,
        count(*) FILTER (bid IS NOT NULL AND ask IS NOT NULL) AS n_quoted,
        count(*) FILTER (live AND open_interest > 0 AND abs(ln(strike / s)) <= least(0.10, 0.3 * sqrt(t))) AS n_near,
        sum(open_interest) AS oi_all,
        sum(open_interest) FILTER (live) AS oi_live,
        count(*) FILTER (known_at < quote_ts) AS early,
        sum(open_interest) FILTER (known_at < quote_ts) AS early_oi,
        count(*) FILTER (NOT live AND expiry >= session) AS expired,
        sum(open_interest) FILTER (NOT live AND expiry >= session) AS expired_oi,
        count(*) FILTER (NOT live AND expiry < session) AS stale,
        sum(open_interest) FILTER (NOT live AND expiry < session) AS stale_oi,
        count(*) FILTER (bid > ask) AS crossed,
        sum(open_interest) FILTER (bid > ask) AS crossed_oi,
        count(*) FILTER (bid < 0 OR ask < 0 OR "last" < 0) AS negative,
        sum(open_interest) FILTER (bid < 0 OR ask < 0 OR "last" < 0) AS negative_oi,
        count(*) FILTER (
            live AND open_interest > 0 AND abs(ln(strike / s)) <= least(0.10, 0.3 * sqrt(t))
            AND (coalesce(bid, 0) <= 0) != (coalesce(ask, 0) <= 0)
        ) AS one_sided,
        sum(open_interest) FILTER (
            live AND open_interest > 0 AND abs(ln(strike / s)) <= least(0.10, 0.3 * sqrt(t))
            AND (coalesce(bid, 0) <= 0) != (coalesce(ask, 0) <= 0)
        ) AS one_sided_oi,
        count(*) FILTER (live AND open_interest > 0 AND iv IS NULL AND NOT settled) AS no_iv,
        sum(open_interest) FILTER (live AND iv IS NULL AND NOT settled) AS no_iv_oi,
        count(*) FILTER (iv < 0.01 OR iv > 10) AS bad_iv,
        sum(open_interest) FILTER (iv < 0.01 OR iv > 10) AS bad_iv_oi,
        count(*) FILTER (
            gamma < 0 OR abs(delta) > 1.0001 OR ("right" = 'C' AND delta < 0) OR ("right" = 'P' AND delta > 0)
        ) AS greeks,
        sum(open_interest) FILTER (
            gamma < 0 OR abs(delta) > 1.0001 OR ("right" = 'C' AND delta < 0) OR ("right" = 'P' AND delta > 0)
        ) AS greeks_oi,
        count(*) FILTER (open_interest IS NULL) AS no_oi,
        count(*) FILTER (open_interest < 0) AS negative_oi_rows,
        sum(open_interest) FILTER (open_interest < 0) AS negative_oi_sum,
        count(*) FILTER (spot != s) AS other_spot,
        sum(open_interest) FILTER (spot != s) AS other_spot_oi,
        max(abs(ln(spot / s))) FILTER (spot > 0) AS spot_range,
        count(DISTINCT source) AS sources,
        count(DISTINCT multiplier) AS multipliers,
        count(*) FILTER (multiplier IS NULL) AS no_multiplier,
        sum(open_interest) FILTER (multiplier IS NULL) AS no_multiplier_oi,
        count(*) FILTER (oi_asof > session) AS future_oi,
        sum(open_interest) FILTER (oi_asof > session) AS future_oi_sum,
        count(*) FILTER (live AND "right" = 'C') AS calls
    FROM quality_rows
    WHERE session >= $first
    GROUP BY session
),
listed AS (
    SELECT
        session,
        unnest([
            {'check': 'known_before_quotes', 'count': early, 'open_interest': early_oi, 'value': early / n},
            {'check': 'expired_today', 'count': expired, 'open_interest': expired_oi, 'value': expired / n},
            {'check': 'expired_before', 'count': stale, 'open_interest': stale_oi, 'value': stale / n},
            {'check': 'crossed_quotes', 'count': crossed, 'open_interest': crossed_oi, 'value': crossed / n_quoted},
            {'check': 'negative_quotes', 'count': negative, 'open_interest': negative_oi, 'value': negative / n},
            {'check': 'one_sided_quotes', 'count': one_sided, 'open_interest': one_sided_oi, 'value': one_sided / n_near},
            {'check': 'missing_volatility', 'count': no_iv, 'open_interest': no_iv_oi, 'value': no_iv_oi / oi_live},
            {'check': 'impossible_volatility', 'count': bad_iv, 'open_interest': bad_iv_oi, 'value': bad_iv / n},
            {'check': 'impossible_greeks', 'count': greeks, 'open_interest': greeks_oi, 'value': greeks / n},
            {'check': 'unknown_open_interest', 'count': no_oi, 'open_interest': NULL, 'value': no_oi / n},
            {'check': 'negative_open_interest', 'count': negative_oi_rows, 'open_interest': negative_oi_sum, 'value': negative_oi_rows / n},
            {'check': 'no_open_interest', 'count': n, 'open_interest': 0.0, 'value': (coalesce(oi_all, 0) <= 0)::DOUBLE},
            {'check': 'several_spots', 'count': other_spot, 'open_interest': other_spot_oi, 'value': spot_range},
            {'check': 'several_sources', 'count': sources, 'open_interest': oi_all, 'value': sources - 1},
            {'check': 'unknown_deliverable', 'count': no_multiplier, 'open_interest': no_multiplier_oi, 'value': no_multiplier / n},
            {'check': 'several_multipliers', 'count': multipliers, 'open_interest': oi_all, 'value': multipliers - 1},
            {'check': 'open_interest_of_the_future', 'count': future_oi, 'open_interest': future_oi_sum, 'value': future_oi / n},
            {'check': 'one_right_only', 'count': n_live, 'open_interest': oi_live, 'value': abs(2 * calls / n_live - 1)}
        ], max_depth := 2)
    FROM counted
)
SELECT session, "check", "count", open_interest, value
FROM listed
WHERE "count" > 0
ORDER BY session, "check"
