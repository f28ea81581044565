-- Bring the rows of each session together, for files in which they are not.
-- In:    settled (see ingest_settled)
-- Out:   the same rows and columns, sessions ascending, in file order within a session
-- Grain: one row per row of the files
-- Unit:  canonical
SELECT *
FROM settled
ORDER BY session, file_index, file_row
