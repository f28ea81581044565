SELECT lockbox, underlying, first_session, set_at, opened_at, opened
FROM lockboxes
WHERE underlying IN (SELECT value FROM json_each(:underlyings)) AND world = :world
ORDER BY lockbox
LIMIT 1
