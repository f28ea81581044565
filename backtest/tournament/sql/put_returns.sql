INSERT OR IGNORE INTO returns (digest, sessions, simple) VALUES (:digest, :sessions, :simple)
