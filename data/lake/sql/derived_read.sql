-- Rebuilt rows, only those whose session still counts in their part.
-- in:    $files: Parquet parts of one table; $valid: 'file|session' of all that count
-- out:   the table's columns
-- order: underlying, dealer model, session, book, then as written
SELECT rows.* EXCLUDE (filename, file_row_number)
FROM read_parquet($files, hive_partitioning = false, filename = true, file_row_number = true) AS rows
SEMI JOIN (SELECT unnest($valid::VARCHAR[]) AS entry) AS valid
    ON valid.entry = concat(rows.filename, '|', rows.session)
ORDER BY rows.underlying, rows.dealer_model, rows.session, rows.book, rows.file_row_number
