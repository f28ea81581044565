INSERT INTO lockboxes (underlying, world, first_session, set_at)
VALUES (:underlying, :world, :first_session, :set_at)
