CREATE TABLE snapshots (
  tenant  INTEGER NOT NULL REFERENCES tenants (id),
  name    TEXT NOT NULL,
  version INTEGER NOT NULL,
  data    BLOB NOT NULL,
  PRIMARY KEY (tenant, name)
) STRICT;

-- text is compressed by gzip. Apart from its run, so that rows of runs are read
-- without it.
CREATE TABLE documents (
  tenant INTEGER NOT NULL,
  run    TEXT NOT NULL,
  text   BLOB NOT NULL,
  PRIMARY KEY (tenant, run),
  FOREIGN KEY (tenant, run) REFERENCES runs (tenant, id) ON DELETE CASCADE
) STRICT;
