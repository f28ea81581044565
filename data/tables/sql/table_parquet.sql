-- A user's Parquet file as it is: the caller keeps the columns and rows that it needs.
-- Inputs:  $file, path of one Parquet file.
-- Outputs: every column of the file, with the file's types.
-- Grain:   one row per row of the file, in file order.
-- Unit:    the file's own.
SELECT *
FROM read_parquet($file)
