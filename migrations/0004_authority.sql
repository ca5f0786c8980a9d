-- An operation is named by its computer and its number, no longer by an id of its own; an operation
-- of authority keeps by what standing it was valid. `weight` orders envelopes along causality.
CREATE TABLE op_new (
  device      TEXT NOT NULL,
  n           INTEGER NOT NULL,           -- dense per device, from 1
  stamp       TEXT NOT NULL,              -- hlc.device.n: the last-writer-wins order
  at_ms       INTEGER NOT NULL,           -- claimed by the author
  type        TEXT NOT NULL,
  authority   INTEGER NOT NULL,
  level       INTEGER,                    -- of a valid operation of authority; else null
  kind        TEXT,                       -- the record that it is about
  record      TEXT,
  line        TEXT NOT NULL,
  past        TEXT,                       -- {device: n}: what the author of an authority operation could know
  state       TEXT NOT NULL CHECK (state IN ('accepted', 'refused', 'held', 'unknown')),
  reason      TEXT,
  envelope    TEXT,                       -- null: not shared yet
  received_ms INTEGER,                    -- null: written here
  PRIMARY KEY (device, n)
) STRICT, WITHOUT ROWID;
INSERT INTO op_new SELECT device, n, stamp, at_ms, type, authority, NULL, kind, record, line, past, state, reason, envelope, received_ms FROM op;
DROP TABLE op;
ALTER TABLE op_new RENAME TO op;
CREATE INDEX op_outbox ON op (device, n) WHERE envelope IS NULL;
CREATE INDEX op_authority ON op (device, n) WHERE authority = 1;
CREATE INDEX op_record ON op (kind, record);
CREATE INDEX op_time ON op (at_ms);
CREATE INDEX op_not_accepted ON op (state) WHERE state <> 'accepted';

ALTER TABLE envelope ADD COLUMN weight INTEGER NOT NULL DEFAULT 0;
CREATE INDEX envelope_weight ON envelope (weight);

-- Own commits, byte for byte: the git store can be made again from here.
ALTER TABLE envelope ADD COLUMN object BLOB;

-- What the shared place shows differently from what was accepted here; made anew by every round.
CREATE TABLE alarm (
  device TEXT PRIMARY KEY,
  kind   TEXT NOT NULL CHECK (kind IN ('missing', 'rewound', 'rewritten', 'withheld')),
  oid    TEXT,
  at_ms  INTEGER NOT NULL
) STRICT;

-- What was written here under a name that turned out to be used twice, until it is written again.
CREATE TABLE set_aside (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  name      TEXT NOT NULL,                -- what it was called: device.n
  line      TEXT NOT NULL,
  authority INTEGER NOT NULL
) STRICT;
