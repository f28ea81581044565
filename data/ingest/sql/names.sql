-- Which underlyings the files name, and whether the rows of each stand together.
-- In:    contracts (typed rows of all files)
-- Out:   said, file_index, count, first_row, last_row
-- Grain: one row per name as written and file
-- Unit:  rows; positions in the file
SELECT
    underlying AS said,
    file_index,
    count(*) AS count,
    min(file_row) AS first_row,
    max(file_row) AS last_row
FROM contracts
GROUP BY ALL
ORDER BY file_index, first_row
