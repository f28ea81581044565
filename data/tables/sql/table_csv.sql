-- A user's CSV file as text: numbers and dates are parsed afterwards, so that a bad cell can be named.
-- Inputs:  $file, path of one CSV file (compressed ones too) with a header line.
-- Outputs: every column of the file as VARCHAR; an empty cell is NULL.
-- Grain:   one row per line below the header, in file order.
-- Unit:    the file's own.
SELECT *
FROM read_csv($file, all_varchar = true, header = true)
