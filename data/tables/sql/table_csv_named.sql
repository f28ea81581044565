-- A user's CSV file with three header lines as text.
-- Inputs:  $file, path of one CSV file (compressed ones too); $names of its columns.
-- Outputs: every column of the file as VARCHAR; an empty cell is NULL.
-- Grain:   one row per line below the header lines, in file order.
-- Unit:    the file's own.
SELECT *
FROM read_csv(
    $file, all_varchar = true, header = false, skip = 3, names = $names, delim = ',', quote = '"'
)
