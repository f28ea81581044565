-- Count the rows of underlyings that were not asked for.
-- In:    contracts (typed rows of all files); $underlying
-- Out:   underlying, row_count
-- Grain: one row per other underlying
-- Unit:  rows
SELECT underlying, count(*) AS row_count
FROM contracts
WHERE underlying <> $underlying
GROUP BY underlying
ORDER BY underlying
