-- Read Parquet as it is: every row of every file.
-- In:    $files (paths)
-- Out:   the files' columns; file_index, file_row
-- Grain: one row per row
-- Unit:  the vendor's
SELECT *, file_index, file_row_number AS file_row
FROM read_parquet($files, hive_partitioning = false)
