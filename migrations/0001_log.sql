-- The log: every operation as the exact line that was (or will be) signed and shared.
-- Nothing here is ever updated but the state of an operation, which is computed from the log.
CREATE TABLE op (
  id          TEXT PRIMARY KEY,
  device      TEXT NOT NULL,
  n           INTEGER NOT NULL,           -- dense per device, from 1
  stamp       TEXT NOT NULL,              -- hlc.device.n: the last-writer-wins order
  at_ms       INTEGER NOT NULL,           -- claimed by the author
  type        TEXT NOT NULL,
  authority   INTEGER NOT NULL,
  kind        TEXT,                       -- the record that it is about
  record      TEXT,
  line        TEXT NOT NULL,
  past        TEXT NOT NULL,              -- {device: n}: what the author could know
  state       TEXT NOT NULL CHECK (state IN ('accepted', 'refused', 'held', 'unknown')),
  reason      TEXT,
  envelope    TEXT,                       -- null: not shared yet
  received_ms INTEGER,                    -- null: written here
  UNIQUE (device, n)
) STRICT;
CREATE INDEX op_outbox ON op (device, n) WHERE envelope IS NULL;
CREATE INDEX op_authority ON op (device, n) WHERE authority = 1;
CREATE INDEX op_record ON op (kind, record);
CREATE INDEX op_time ON op (at_ms);
CREATE INDEX op_not_accepted ON op (state) WHERE state <> 'accepted';

-- What is accepted of each device's branch.
CREATE TABLE branch (
  device TEXT PRIMARY KEY,
  seq    INTEGER NOT NULL,
  n      INTEGER NOT NULL,
  tip    TEXT NOT NULL,                   -- commit id
  sha256 TEXT NOT NULL,                   -- of the commit object
  at_ms  INTEGER NOT NULL
) STRICT;

CREATE TABLE envelope (
  oid    TEXT PRIMARY KEY,
  device TEXT NOT NULL,
  seq    INTEGER NOT NULL,
  first  INTEGER NOT NULL,
  count  INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  past   TEXT NOT NULL,                   -- what the commit's parents stand for
  UNIQUE (device, seq)
) STRICT;

-- Commits that were not accepted, and why: an audit row, never an exception.
CREATE TABLE refusal (
  id     INTEGER PRIMARY KEY,
  device TEXT NOT NULL,
  oid    TEXT NOT NULL,
  code   TEXT NOT NULL,
  reason TEXT NOT NULL,
  at_ms  INTEGER NOT NULL,
  UNIQUE (device, oid, code)
) STRICT;

-- What belongs to this computer alone: identity, settings. Never shared.
CREATE TABLE local (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

-- What changed, for the other processes on this computer. Pruned.
CREATE TABLE change (
  seq  INTEGER PRIMARY KEY AUTOINCREMENT,
  tags TEXT NOT NULL
) STRICT;
