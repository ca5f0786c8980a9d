-- Metric points are not operations: many, append-only, of one run. They are primary data of the
-- computer that logged them; others hold the signed summary (cell `metric`).
CREATE TABLE metric_series (
  id         INTEGER PRIMARY KEY,
  run        TEXT NOT NULL,
  key        TEXT NOT NULL,
  count      INTEGER NOT NULL,
  last_step  INTEGER NOT NULL,
  last_ts    INTEGER NOT NULL,
  last_bits  INTEGER NOT NULL,            -- the 64 bits of the value: NaN and -0 survive
  min        REAL,
  max        REAL,
  summarised INTEGER NOT NULL DEFAULT 0,  -- points that the last summary operation covered
  UNIQUE (run, key)
) STRICT;
CREATE INDEX metric_unsummarised ON metric_series (run) WHERE count <> summarised;

CREATE TABLE metric_point (
  series INTEGER NOT NULL,
  step   INTEGER NOT NULL,
  ts     INTEGER NOT NULL,
  bits   INTEGER NOT NULL,
  PRIMARY KEY (series, step, ts, bits)
) STRICT, WITHOUT ROWID;

-- MLflow's clients want whole numbers for experiments; these are this computer's own.
CREATE TABLE experiment_number (
  number     INTEGER PRIMARY KEY,
  experiment TEXT NOT NULL UNIQUE
) STRICT;
