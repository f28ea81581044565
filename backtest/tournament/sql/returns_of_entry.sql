SELECT r.simple, s.days
FROM entries AS e
INNER JOIN returns AS r ON e.returns = r.digest
INNER JOIN sessions AS s ON r.sessions = s.digest
WHERE e.entry = :entry
