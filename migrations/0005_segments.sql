-- Points of other computers, which came in segments, lie beside the own ones: each series belongs to
-- a computer, the own ones to ''.
CREATE TABLE metric_series_new (
  id         INTEGER PRIMARY KEY,
  run        TEXT NOT NULL,
  key        TEXT NOT NULL,
  device     TEXT NOT NULL,
  count      INTEGER NOT NULL,
  last_step  INTEGER NOT NULL,
  last_ts    INTEGER NOT NULL,
  last_bits  INTEGER NOT NULL,            -- the 64 bits of the value: NaN and -0 survive
  min        REAL,
  max        REAL,
  summarised INTEGER NOT NULL DEFAULT 0,  -- points that the last summary operation covered
  packed     INTEGER NOT NULL DEFAULT 0,  -- points that went into segments
  mark_step  INTEGER,                     -- the greatest point that did
  mark_ts    INTEGER,
  mark_bits  INTEGER,
  UNIQUE (run, key, device)
) STRICT;
INSERT INTO metric_series_new (id, run, key, device, count, last_step, last_ts, last_bits, min, max, summarised)
  SELECT id, run, key, '', count, last_step, last_ts, last_bits, min, max, summarised FROM metric_series;
DROP TABLE metric_series;
ALTER TABLE metric_series_new RENAME TO metric_series;
CREATE INDEX metric_unsummarised ON metric_series (run) WHERE device = '' AND count <> summarised;
CREATE INDEX metric_unpacked ON metric_series (run) WHERE device = '' AND count <> packed;

-- Own points that came after greater ones had gone into a segment.
CREATE TABLE metric_late (
  series INTEGER NOT NULL,
  step   INTEGER NOT NULL,
  ts     INTEGER NOT NULL,
  bits   INTEGER NOT NULL,
  PRIMARY KEY (series, step, ts, bits)
) STRICT, WITHOUT ROWID;

-- Segments of this computer (with their bytes until they are shared), and those of others that are here.
CREATE TABLE segment (
  device TEXT NOT NULL,
  digest TEXT NOT NULL,
  volume INTEGER NOT NULL,
  size   INTEGER NOT NULL,
  bytes  BLOB,
  at_ms  INTEGER NOT NULL,
  PRIMARY KEY (device, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX segment_unshared ON segment (device) WHERE bytes IS NOT NULL;

CREATE INDEX cell_segment ON cell (key) WHERE kind = 'segment';

-- Which commit an operation is in follows from its number. The trail is read by `clock`: the hybrid
-- clock as one number, its milliseconds times 2^20 and its counter (as far as that goes).
CREATE TABLE op_new (
  device      TEXT NOT NULL,
  n           INTEGER NOT NULL,           -- dense per device, from 1
  clock       INTEGER NOT NULL,
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
  received_ms INTEGER,                    -- null: written here
  PRIMARY KEY (device, n)
) STRICT, WITHOUT ROWID;
INSERT INTO op_new SELECT device, n, at_ms * 1048576, at_ms, type, authority, level, kind, record, line, past, state, reason, received_ms FROM op;
DROP TABLE op;
ALTER TABLE op_new RENAME TO op;
CREATE INDEX op_authority ON op (device, n) WHERE authority = 1;
CREATE INDEX op_record ON op (record);
CREATE INDEX op_clock ON op (clock);
CREATE INDEX op_not_accepted ON op (state) WHERE state <> 'accepted';
CREATE INDEX envelope_first ON envelope (device, first);

-- A metric's summary is kept per computer, and edits say all that they were based on: the views are
-- made anew from the log by the program that brings this.
