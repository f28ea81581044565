INSERT INTO deletions (trial_id, entries, deleted_at, reason)
VALUES (:trial_id, :entries, :deleted_at, :reason)
