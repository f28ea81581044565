SELECT
  underlying, world, data_id, MIN(first_session) AS first_session,
  MAX(last_session) AS last_session, COUNT(DISTINCT trial_id) AS trials,
  MAX(recorded_at) AS last_recorded
FROM entries
GROUP BY underlying, world, data_id
ORDER BY MIN(entry)
