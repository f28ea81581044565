SELECT
  entry, trial_id, name, source, underlying, world, data_id, first_session, last_session,
  recorded_at, metrics, settings, returns
FROM entries
WHERE deleted = 0
ORDER BY entry
