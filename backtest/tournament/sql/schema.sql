BEGIN IMMEDIATE;

-- dates that returns are of: days since 1970, int32, zlib; all trials of a run share one row
CREATE TABLE IF NOT EXISTS sessions (digest TEXT PRIMARY KEY, days BLOB NOT NULL);

-- float32, zlib; NaN is NaN
CREATE TABLE IF NOT EXISTS returns (
  digest TEXT PRIMARY KEY,
  sessions TEXT NOT NULL,
  simple BLOB NOT NULL
);

-- AUTOINCREMENT: a number that was given is never given again
CREATE TABLE IF NOT EXISTS entries (
  entry INTEGER PRIMARY KEY AUTOINCREMENT,
  trial_id TEXT NOT NULL,
  name TEXT NOT NULL,
  source TEXT NOT NULL,
  underlying TEXT NOT NULL,
  world TEXT NOT NULL,
  data_id TEXT NOT NULL,
  first_session TEXT NOT NULL,
  last_session TEXT NOT NULL,
  recorded_at TEXT NOT NULL,
  metrics TEXT NOT NULL,
  settings TEXT NOT NULL,
  returns TEXT NOT NULL,
  deleted INTEGER NOT NULL DEFAULT 0,
  UNIQUE (trial_id, underlying, world, data_id, first_session, last_session, returns)
);

CREATE INDEX IF NOT EXISTS entries_by_data
ON entries (underlying, world, first_session, last_session);

CREATE TABLE IF NOT EXISTS deletions (
  deletion INTEGER PRIMARY KEY AUTOINCREMENT,
  trial_id TEXT NOT NULL,
  entries INTEGER NOT NULL,
  deleted_at TEXT NOT NULL,
  reason TEXT NOT NULL
);

-- sessions that no trial may see until they are opened, once; one row per market that has any
CREATE TABLE IF NOT EXISTS lockboxes (
  lockbox INTEGER PRIMARY KEY AUTOINCREMENT,
  underlying TEXT NOT NULL,
  world TEXT NOT NULL,
  first_session TEXT NOT NULL,
  set_at TEXT NOT NULL,
  opened_at TEXT,
  opened TEXT
);

PRAGMA user_version = 2;

COMMIT;
