-- Finding anything by its words, and what links to what. Both follow the cells; the views are made anew by the program
-- that brings this, which fills them.
CREATE VIRTUAL TABLE text_index USING fts5 (
  title, body,
  content = '', contentless_delete = 1,
  tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
);                                        -- rowid: of the record

-- A text of one record names another record or a person: [words](cairn:kind/id).
CREATE TABLE link (
  source INTEGER NOT NULL,                -- record
  kind   TEXT NOT NULL,
  id     TEXT NOT NULL,
  PRIMARY KEY (source, kind, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX link_target ON link (kind, id);
