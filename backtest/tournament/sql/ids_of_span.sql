SELECT DISTINCT trial_id
FROM entries
WHERE
  underlying = :underlying
  AND world = :world
  AND first_session = :first_session
  AND last_session = :last_session
