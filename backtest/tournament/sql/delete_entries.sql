UPDATE entries SET deleted = 1, metrics = '{}' WHERE trial_id = :trial_id AND deleted = 0
