-- Options of a job's captions besides beam and candidates, and the keywords of its photos.

ALTER TABLE jobs ADD COLUMN more_options TEXT NOT NULL DEFAULT '{}'; -- JSON: those of maxWords, style, neutral and keywords that were asked for
ALTER TABLE photos ADD COLUMN keywords TEXT;                         -- JSON, for a job that asked for them
