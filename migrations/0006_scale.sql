-- Made for 100,000 runs and 100 million points. Records, devices and metrics are named by whole numbers
-- of this file, so that a cell takes a quarter of the room; runs have a row of their own for searching;
-- points lie in compressed chunks. The views are made anew from the log by the program that brings this.
CREATE TABLE device_name (
  num INTEGER PRIMARY KEY,
  id  TEXT NOT NULL UNIQUE                -- '' is number 0: what was logged here, whatever this computer's name is
) STRICT;
INSERT INTO device_name (num, id) VALUES (0, '');

DROP TABLE record;
DROP TABLE cell;
DROP TABLE edit;

-- A record is here from the first that is heard of it; before its creation is, `ms` is null.
CREATE TABLE record (
  num     INTEGER PRIMARY KEY,
  kind    TEXT NOT NULL,
  id      TEXT NOT NULL,
  parent  TEXT,
  at_ms   INTEGER,
  ms      INTEGER,                        -- the stamp of the creation: clock, counter, device, number
  counter INTEGER,
  device  INTEGER,
  n       INTEGER,
  UNIQUE (kind, id)
) STRICT;
CREATE INDEX record_parent ON record (kind, parent);

CREATE TABLE cell (
  record  INTEGER NOT NULL,
  field   TEXT NOT NULL,
  key     TEXT NOT NULL,
  value   TEXT,                           -- null: removed
  ms      INTEGER NOT NULL,               -- the stamp: last writer wins
  counter INTEGER NOT NULL,
  device  INTEGER NOT NULL,
  n       INTEGER NOT NULL,
  PRIMARY KEY (record, field, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX cell_segment ON cell (key) WHERE field = 'run';
CREATE INDEX cell_deleted ON cell (ms) WHERE field = 'deleted';

-- Edits of texts that people share, with what each was based on: two that share a base are both shown.
CREATE TABLE edit (
  record  INTEGER NOT NULL,
  field   TEXT NOT NULL,
  key     TEXT NOT NULL,
  value   TEXT NOT NULL,
  base    TEXT,
  ms      INTEGER NOT NULL,
  counter INTEGER NOT NULL,
  device  INTEGER NOT NULL,
  n       INTEGER NOT NULL,
  PRIMARY KEY (record, field, key, device, n)
) STRICT, WITHOUT ROWID;

-- What runs are searched and sorted by, beside their parameters and tags. Follows their cells.
CREATE TABLE run (
  num        INTEGER PRIMARY KEY,         -- of the record
  id         TEXT NOT NULL,
  experiment TEXT,                        -- null: the creation is not known yet
  own_deleted INTEGER NOT NULL DEFAULT 0,
  deleted    INTEGER NOT NULL DEFAULT 0,  -- it or its experiment
  start_ms   INTEGER NOT NULL DEFAULT 0,
  end_ms     INTEGER,
  status     TEXT NOT NULL DEFAULT '',
  name       TEXT,
  user       TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX run_start ON run (experiment, deleted, start_ms DESC, id);
CREATE INDEX run_status ON run (status);

-- The parameters and tags of runs by name, in the order of their first 64 characters: mostly all.
CREATE TABLE text_name (
  num   INTEGER PRIMARY KEY,
  field TEXT NOT NULL,                    -- param or tag
  key   TEXT NOT NULL,
  UNIQUE (field, key)
) STRICT;
CREATE TABLE run_text (
  name INTEGER NOT NULL,
  head TEXT NOT NULL,
  run  INTEGER NOT NULL,
  PRIMARY KEY (name, head, run)
) STRICT, WITHOUT ROWID;

-- The datasets that runs took in.
CREATE TABLE run_dataset (
  run     INTEGER NOT NULL,
  key     TEXT NOT NULL,
  name    TEXT NOT NULL,
  digest  TEXT NOT NULL,
  context TEXT NOT NULL,
  PRIMARY KEY (run, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX run_dataset_name ON run_dataset (name, digest, context, run);

CREATE TABLE metric_name (
  num  INTEGER PRIMARY KEY,
  text TEXT NOT NULL UNIQUE
) STRICT;

-- The latest value of each metric, over all computers that logged it. Made when somebody searches,
-- for what `metric_stale` names: keeping it true with every point would cost more than the point.
CREATE TABLE run_metric (
  run   INTEGER NOT NULL,
  key   INTEGER NOT NULL,
  value REAL,                             -- null: not a number
  step  INTEGER NOT NULL,
  ts    INTEGER NOT NULL,
  count INTEGER NOT NULL,
  min   REAL,
  max   REAL,
  PRIMARY KEY (run, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX run_metric_value ON run_metric (key, value, run);
CREATE TABLE metric_stale (
  run INTEGER NOT NULL,
  key INTEGER NOT NULL,
  PRIMARY KEY (run, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE metric_series_new (
  id         INTEGER PRIMARY KEY,
  run        INTEGER NOT NULL,
  key        INTEGER NOT NULL,
  device     INTEGER NOT NULL,            -- 0: logged here
  count      INTEGER NOT NULL,
  tail       INTEGER NOT NULL DEFAULT 0,  -- points that are not in a chunk yet
  last_step  INTEGER NOT NULL,            -- the latest point by MLflow's rule
  last_ts    INTEGER NOT NULL,
  last_bits  INTEGER NOT NULL,            -- the 64 bits of the value: NaN and -0 survive
  top_step   INTEGER,                     -- the greatest point by step, time, bits: what is beyond it is new
  top_ts     INTEGER,
  top_bits   INTEGER,
  min        REAL,
  max        REAL,
  summarised INTEGER NOT NULL DEFAULT 0,  -- points that the last summary operation covered
  packed     INTEGER NOT NULL DEFAULT 0,  -- points that went into segments
  mark_step  INTEGER,                     -- the greatest point that did
  mark_ts    INTEGER,
  mark_bits  INTEGER,
  UNIQUE (run, key, device)
) STRICT;

-- Newly logged points, 24 bytes each: step, time, bits (little endian).
CREATE TABLE metric_part (
  series INTEGER NOT NULL,
  seq    INTEGER NOT NULL,
  points BLOB NOT NULL,
  PRIMARY KEY (series, seq)
) STRICT, WITHOUT ROWID;

-- Points in order, compressed. Chunks of a series do not overlap.
CREATE TABLE metric_chunk (
  series     INTEGER NOT NULL,
  first_step INTEGER NOT NULL,
  first_ts   INTEGER NOT NULL,
  first_bits INTEGER NOT NULL,
  last_step  INTEGER NOT NULL,
  last_ts    INTEGER NOT NULL,
  last_bits  INTEGER NOT NULL,
  count      INTEGER NOT NULL,
  outline    BLOB NOT NULL,               -- of each stretch of 128 points: bounds, last value, what is no number
  points     BLOB NOT NULL,
  PRIMARY KEY (series, first_step, first_ts, first_bits)
) STRICT, WITHOUT ROWID;

INSERT INTO record (kind, id) SELECT DISTINCT 'run', run FROM metric_series;
INSERT INTO run (num, id) SELECT num, id FROM record;
INSERT OR IGNORE INTO device_name (id) SELECT DISTINCT device FROM metric_series;
INSERT INTO metric_name (text) SELECT DISTINCT key FROM metric_series;
INSERT INTO metric_series_new (id, run, key, device, count, tail, last_step, last_ts, last_bits, top_step, top_ts, top_bits, min, max,
    summarised, packed, mark_step, mark_ts, mark_bits)
  SELECT s.id, r.num, k.num, d.num, s.count, s.count, s.last_step, s.last_ts, s.last_bits, p.step, p.ts, p.bits, s.min, s.max,
    s.summarised, s.packed, s.mark_step, s.mark_ts, s.mark_bits
  FROM metric_series s
  JOIN record r ON r.kind = 'run' AND r.id = s.run
  JOIN metric_name k ON k.text = s.key
  JOIN device_name d ON d.id = s.device
  LEFT JOIN metric_point p ON p.series = s.id AND (p.step, p.ts, p.bits) =
    (SELECT step, ts, bits FROM metric_point WHERE series = s.id ORDER BY step DESC, ts DESC, bits DESC LIMIT 1);
INSERT INTO metric_part (series, seq, points)
  SELECT series, row_number() OVER (PARTITION BY series ORDER BY step, ts, bits), point_bytes(step, ts, bits) FROM metric_point;
INSERT INTO metric_stale (run, key) SELECT DISTINCT run, key FROM metric_series_new;
DROP TABLE metric_series;
DROP TABLE metric_point;
ALTER TABLE metric_series_new RENAME TO metric_series;
CREATE INDEX metric_unsummarised ON metric_series (run) WHERE device = 0 AND count <> summarised;
CREATE INDEX metric_unpacked ON metric_series (run) WHERE device = 0 AND count <> packed;
CREATE INDEX metric_tails ON metric_series (tail) WHERE tail >= 2048;

-- The latest values that scripts on this computer measured of logged models, each on a dataset or on none;
-- others hold them from the summary operation of the run's end.
CREATE TABLE model_metric (
  model      TEXT NOT NULL,
  run        TEXT NOT NULL,
  key        TEXT NOT NULL,
  dataset    TEXT NOT NULL,
  digest     TEXT NOT NULL,
  step       INTEGER NOT NULL,
  ts         INTEGER NOT NULL,
  bits       INTEGER NOT NULL,
  summarised INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (model, run, key, dataset, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX model_metric_run ON model_metric (run) WHERE summarised = 0;

-- Files and folders of other tools that runs were taken from: where reading goes on, and what came of it.
-- This computer's own.
CREATE TABLE source (
  id        INTEGER PRIMARY KEY,
  path      TEXT NOT NULL UNIQUE,
  format    TEXT NOT NULL,
  watched   INTEGER NOT NULL,
  position  TEXT NOT NULL DEFAULT 'null',
  looked_ms INTEGER,
  runs      INTEGER NOT NULL DEFAULT 0,
  points    INTEGER NOT NULL DEFAULT 0,
  findings  TEXT NOT NULL DEFAULT '[]',   -- what could not be read the last time, as JSON
  trouble   TEXT                          -- why nothing of it could be read
) STRICT;
