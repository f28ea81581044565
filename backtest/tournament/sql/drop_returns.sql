DELETE FROM returns WHERE digest NOT IN (SELECT returns FROM entries WHERE deleted = 0)
