-- Bring the rows of each session together, for files in which they are not.
-- In:    contracts (typed rows of all files), stamps (calendar: see sessions.CalendarTables)
-- Out:   the same rows and columns, sessions ascending (the stated one, else that of the stamp), in
--        file order within a session
-- Grain: one row per row of the files
-- Unit:  as in contracts
SELECT c.*
FROM contracts AS c
LEFT JOIN stamps AS t ON t.day = CAST(c.quote_ts AS DATE)
ORDER BY
    coalesce(c.session, CASE WHEN c.quote_ts >= t.open_ts THEN t.session ELSE t.before END),
    c.file_index,
    c.file_row
