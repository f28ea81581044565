INSERT INTO entries (
  trial_id, name, source, underlying, world, data_id, first_session, last_session, recorded_at,
  metrics, settings, returns
)
VALUES (
  :trial_id, :name, :source, :underlying, :world, :data_id, :first_session, :last_session,
  :recorded_at, :metrics, :settings, :returns
)
ON CONFLICT (trial_id, underlying, world, data_id, first_session, last_session, returns)
DO UPDATE SET metrics = excluded.metrics, deleted = 0 WHERE deleted = 1
