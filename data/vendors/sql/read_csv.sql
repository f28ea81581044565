-- Read delimited text as it is, every row of every file.
-- In:    $files (paths), $columns (names in file order to VARCHAR or DOUBLE), $delimiter
-- Out:   the files' columns, empty as NULL; file_index, file_row
-- Grain: one row per line after the header
-- Unit:  the vendor's
SELECT *, file_index, row_number() OVER () AS file_row
FROM read_csv(
    $files,
    columns = $columns,
    delim = $delimiter,
    quote = '"',
    escape = '"',
    header = true,
    skip = 0,
    auto_detect = false,
    null_padding = false,
    ignore_errors = false,
    strict_mode = true,
    max_line_size = 1048576,
    hive_partitioning = false
)
