-- "exoa" in ASCII: the mark by which the file is told from those of other programs.
PRAGMA application_id = 1702391649;

CREATE TABLE tenants (
  id   INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;

-- prev, hash and entry are a line as it was sealed.
CREATE TABLE journal (
  id     INTEGER PRIMARY KEY,
  tenant INTEGER NOT NULL REFERENCES tenants (id),
  seq    INTEGER NOT NULL,
  prev   TEXT NOT NULL,
  hash   TEXT NOT NULL,
  entry  BLOB NOT NULL,
  UNIQUE (tenant, seq)
) STRICT;

CREATE TRIGGER journal_is_not_changed BEFORE UPDATE ON journal
BEGIN
  SELECT RAISE(ABORT, 'a line of the journal is never changed');
END;

CREATE TRIGGER journal_is_not_cut BEFORE DELETE ON journal
BEGIN
  SELECT RAISE(ABORT, 'a line of the journal is never removed');
END;

-- This stops INSERT OR REPLACE too, for which no other trigger runs.
CREATE TRIGGER journal_only_grows BEFORE INSERT ON journal
WHEN NEW.seq <> 1 + coalesce((SELECT max(seq) FROM journal WHERE tenant = NEW.tenant), 0)
BEGIN
  SELECT RAISE(ABORT, 'a line of the journal is added at its end');
END;

-- A row stays when its lease ends (held = 0), so that tokens never come again.
-- Times are milliseconds since 1970, UTC.
CREATE TABLE leases (
  tenant INTEGER PRIMARY KEY REFERENCES tenants (id),
  token  INTEGER NOT NULL,
  holder TEXT NOT NULL,
  place  TEXT NOT NULL,
  until  INTEGER NOT NULL,
  held   INTEGER NOT NULL
) STRICT;

CREATE TABLE runs (
  tenant        INTEGER NOT NULL REFERENCES tenants (id),
  id            TEXT NOT NULL,
  command       TEXT NOT NULL,
  started       INTEGER NOT NULL,
  finished      INTEGER NOT NULL,
  scope         TEXT NOT NULL,
  verdict       TEXT NOT NULL,
  complete      INTEGER NOT NULL,
  tool          TEXT NOT NULL,
  policy        TEXT NOT NULL,
  policy_digest TEXT NOT NULL,
  wrote         INTEGER NOT NULL,
  journal_head  TEXT NOT NULL,
  journal_file  TEXT NOT NULL,
  PRIMARY KEY (tenant, id)
) STRICT;

CREATE INDEX runs_by_start ON runs (tenant, started);
