INSERT OR IGNORE INTO sessions (digest, days) VALUES (:digest, :days)
