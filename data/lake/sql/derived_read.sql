-- Rebuilt rows, only those whose session still counts in their part. Parts may share a file: each has
-- a stretch of rows there, and row groups outside of all stretches are not read.
-- in:    $files: Parquet files of one table; $entries: 'file|session' of all that count, and of each
--        the $first and the $last row of its part in the file
-- out:   the table's columns
-- order: underlying, dealer model, session, book, then as written
SELECT rows.* EXCLUDE (filename, file_row_number)
FROM read_parquet($files, hive_partitioning = false, filename = true, file_row_number = true) AS rows
SEMI JOIN (
    SELECT
        unnest($entries::VARCHAR[]) AS entry,
        unnest($first::BIGINT[]) AS first_row,
        unnest($last::BIGINT[]) AS last_row
) AS valid
    ON
        valid.entry = concat(rows.filename, '|', rows.session)
        AND rows.file_row_number BETWEEN valid.first_row AND valid.last_row
ORDER BY rows.underlying, rows.dealer_model, rows.session, rows.book, rows.file_row_number
