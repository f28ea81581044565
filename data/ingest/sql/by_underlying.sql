-- Bring the rows of each underlying together, and of each of its sessions: for files of many.
-- In:    contracts (typed rows of all files), stamps (calendar: see sessions.CalendarTables), wanted
--        (said: a name as the files write it; file_index; place: of its underlying in the order)
-- Out:   the rows of wanted names and files: underlyings by place, sessions ascending (the stated one,
--        else that of the stamp), in file order within a session
-- Grain: one row per row of the files that is wanted
-- Unit:  as in contracts
SELECT c.*
FROM contracts AS c
JOIN wanted AS w ON w.said = c.underlying AND w.file_index = c.file_index
LEFT JOIN stamps AS t ON t.day = CAST(c.quote_ts AS DATE)
ORDER BY
    w.place,
    coalesce(c.session, CASE WHEN c.quote_ts >= t.open_ts THEN t.session ELSE t.before END),
    c.file_index,
    c.file_row
