UPDATE lockboxes SET opened_at = :opened_at, opened = :opened
WHERE lockbox = :lockbox AND opened_at IS NULL
