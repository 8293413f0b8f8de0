-- Jobs and their photos. Applied by `npx wrangler d1 migrations apply JOBS_DB`; on this machine by `npm start`.

CREATE TABLE jobs (
  id TEXT PRIMARY KEY,
  owner TEXT NOT NULL,                      -- id of the key that started it
  tier TEXT NOT NULL,                       -- and its tier
  host TEXT NOT NULL,                       -- host that it was started at, from which no photos are fetched
  bucket TEXT,                              -- null for a list of addresses
  prefix TEXT NOT NULL,
  follow INTEGER NOT NULL,
  sidecars TEXT NOT NULL,
  beam INTEGER NOT NULL,
  candidates INTEGER NOT NULL,
  state TEXT NOT NULL,
  reason TEXT,
  cursor TEXT,                              -- of the listing: where the next page begins
  listing INTEGER NOT NULL DEFAULT 0,       -- number of the Workflow that lists; an earlier one stops
  listed INTEGER NOT NULL DEFAULT 0,
  done INTEGER NOT NULL DEFAULT 0,
  cached INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,
  created_at_ms INTEGER NOT NULL,
  progress_at_ms INTEGER NOT NULL,          -- when a page was listed or photos were captioned last
  ended_at_ms INTEGER,
  deleted_at_ms INTEGER                     -- its photos are deleted in the background
) STRICT;

CREATE INDEX jobs_of_owner ON jobs (owner, created_at_ms);
CREATE INDEX jobs_under_way ON jobs (progress_at_ms) WHERE ended_at_ms IS NULL;
CREATE INDEX jobs_to_delete ON jobs (deleted_at_ms) WHERE deleted_at_ms IS NOT NULL;

CREATE TABLE photos (
  number INTEGER PRIMARY KEY,
  job TEXT NOT NULL,
  object TEXT NOT NULL,                     -- key or address
  etag TEXT,                                -- of the object that is to be captioned, or was
  state TEXT NOT NULL DEFAULT 'queued',     -- queued, done, failed
  tries INTEGER NOT NULL DEFAULT 0,
  sent_at_ms INTEGER NOT NULL,              -- when it was put on the queue last, or will be delivered from it
  caption TEXT,
  confidence REAL,
  candidates TEXT,                          -- JSON, for more than one
  is_cached INTEGER,
  photo_id TEXT,
  content_id TEXT,
  revision TEXT,
  code TEXT,
  detail TEXT,
  UNIQUE (job, object)
) STRICT;

CREATE INDEX queued_photos ON photos (job, sent_at_ms) WHERE state = 'queued';
