-- of each trial the returns recorded last
SELECT e.trial_id, MAX(e.entry) AS entry, r.simple, s.days
FROM entries AS e
INNER JOIN returns AS r ON e.returns = r.digest
INNER JOIN sessions AS s ON r.sessions = s.digest
WHERE
  e.deleted = 0
  AND e.underlying IN (SELECT value FROM json_each(:underlyings))
  AND e.world = :world
  AND e.first_session <= :last_session
  AND e.last_session >= :first_session
GROUP BY e.trial_id
ORDER BY entry
