-- Read one JSON file: an array of objects, or an object per line.
-- In:    $files (one path)
-- Out:   the objects' keys as columns; file_index, file_row
-- Grain: one row per object
-- Unit:  the vendor's
SELECT *, 0 AS file_index, row_number() OVER () AS file_row
FROM read_json(
    $files,
    hive_partitioning = false,
    maximum_object_size = 16777216,
    -- no text looks like this, so that texts stay texts: read as moments they would lose their zone
    dateformat = '(%Y-%m-%d)',
    timestampformat = '(%Y-%m-%d %H:%M:%S)'
)
