-- Static arbitrage that quotes offer: prices out of order or not convex in strike, total variance
-- that falls with time.
-- in:    quality_rows; $first
-- out:   session, "check", count, open_interest, value
-- grain: session x check
-- unit:  count of violations; value their share of the comparisons made
-- Vertical: the bid of the dearer leg's cheaper neighbour exceeds its ask. Butterfly: the middle bid
-- exceeds the cost of the wings that dominate it. Calendar: iv^2 t at one strike (out of the money
-- side, within 10 % of spot) falls by more than a tenth to the next expiry of the same settlement.
WITH quoted AS (
    SELECT
        session, expiry, settlement, root, "right", strike, bid, ask, open_interest,
        lag(strike) OVER w AS strike_low,
        lag(bid) OVER w AS bid_low,
        lag(ask) OVER w AS ask_low,
        lead(strike) OVER w AS strike_high,
        lead(ask) OVER w AS ask_high
    FROM quality_rows
    WHERE session >= $first AND live AND two_sided
    WINDOW w AS (PARTITION BY session, expiry, settlement, root, "right" ORDER BY strike)
),
strikes AS (
    SELECT
        *,
        CASE WHEN "right" = 'C' THEN bid > ask_low ELSE bid_low > ask END AND strike > strike_low AS vertical,
        bid > (ask_low * (strike_high - strike) + ask_high * (strike - strike_low))
            / (strike_high - strike_low) AND strike_high > strike AND strike > strike_low AS butterfly
    FROM quoted
),
otm AS (
    SELECT
        session, settlement, root, strike, expiry, t,
        sum(open_interest) AS oi,
        avg(iv) AS iv
    FROM quality_rows
    WHERE
        session >= $first AND live AND iv IS NOT NULL AND t > 0.01
        AND abs(ln(strike / s)) <= 0.10 AND ("right" = 'C') = (strike >= s)
    GROUP BY session, settlement, root, strike, expiry, t
),
variance AS (
    SELECT
        session,
        oi,
        iv * iv * t AS w,
        lag(iv * iv * t) OVER (PARTITION BY session, settlement, root, strike ORDER BY t) AS w_before
    FROM otm
)
SELECT session, 'vertical_arbitrage' AS "check", count(*) FILTER (vertical) AS "count",
    sum(open_interest) FILTER (vertical) AS open_interest, avg(vertical::INT) AS value
FROM strikes
GROUP BY session
HAVING count(*) FILTER (vertical) > 0
UNION ALL
SELECT session, 'butterfly_arbitrage', count(*) FILTER (butterfly),
    sum(open_interest) FILTER (butterfly), avg(butterfly::INT)
FROM strikes
GROUP BY session
HAVING count(*) FILTER (butterfly) > 0
UNION ALL
SELECT session, 'calendar_arbitrage', count(*) FILTER (w < 0.9 * w_before),
    sum(oi) FILTER (w < 0.9 * w_before), avg((w < 0.9 * w_before)::INT) FILTER (w_before IS NOT NULL)
FROM variance
GROUP BY session
HAVING count(*) FILTER (w < 0.9 * w_before) > 0
ORDER BY session, "check"
