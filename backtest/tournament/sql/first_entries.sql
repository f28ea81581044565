-- trials on data that overlap, by when each was first made
SELECT trial_id, MIN(entry) AS entry, MIN(deleted) AS deleted
FROM entries
WHERE
  underlying IN (SELECT value FROM json_each(:underlyings))
  AND world = :world
  AND first_session <= :last_session
  AND last_session >= :first_session
GROUP BY trial_id
ORDER BY entry
