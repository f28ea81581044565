SELECT trial_id, entries, deleted_at, reason FROM deletions ORDER BY deletion
