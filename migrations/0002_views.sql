-- The views: a pure function of the accepted operations. `cairn rebuild` empties and refills them.
CREATE TABLE record (
  kind   TEXT NOT NULL,
  id     TEXT NOT NULL,
  parent TEXT,
  stamp  TEXT NOT NULL,                   -- of the creation
  at_ms  INTEGER NOT NULL,
  device TEXT NOT NULL,
  PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX record_parent ON record (kind, parent);

CREATE TABLE cell (
  kind  TEXT NOT NULL,
  id    TEXT NOT NULL,
  field TEXT NOT NULL,
  key   TEXT NOT NULL,
  value TEXT,                             -- null: removed
  stamp TEXT NOT NULL,
  op    TEXT NOT NULL,
  PRIMARY KEY (kind, id, field, key)
) STRICT, WITHOUT ROWID;

-- Edits of texts that people share, with what each was based on: two that share a base are both shown.
CREATE TABLE edit (
  op    TEXT NOT NULL,
  kind  TEXT NOT NULL,
  id    TEXT NOT NULL,
  field TEXT NOT NULL,
  key   TEXT NOT NULL,
  value TEXT NOT NULL,
  base  TEXT,
  stamp TEXT NOT NULL,
  PRIMARY KEY (kind, id, field, key, op)
) STRICT, WITHOUT ROWID;
CREATE INDEX edit_base ON edit (base) WHERE base IS NOT NULL;
