-- A ledger in one SQLite file, schema version 1. Run once, in one transaction.

PRAGMA application_id = 0x617A636E; -- "azcn"
PRAGMA user_version = 1;

-- Numbered in the order of their first event.
CREATE TABLE stream (
  id   INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;

-- An event's stored name and version, such as land-allocated/1.
CREATE TABLE kind (
  id   INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE event (
  position    INTEGER PRIMARY KEY CHECK (position > 0),   -- from 1, no gaps
  stream      INTEGER NOT NULL REFERENCES stream,
  version     INTEGER NOT NULL CHECK (version > 0),       -- from 1, no gaps
  kind        INTEGER NOT NULL REFERENCES kind,
  recorded_us INTEGER NOT NULL,   -- microseconds since 1970 UTC; never falls
  earliest    INTEGER,            -- first possible day; day 1 is 0001-01-01
  latest      INTEGER,            -- last possible day; NULL means open
  id          TEXT NOT NULL UNIQUE,
  payload     BLOB NOT NULL,
  metadata    BLOB NOT NULL,
  checksum    INTEGER NOT NULL,   -- of the payload and its kind's fields
  UNIQUE (stream, version),
  CHECK (earliest <= latest)
) STRICT;

-- These stop accidents. What was altered on purpose is found by its hashes.
CREATE TRIGGER event_is_not_changed BEFORE UPDATE ON event
BEGIN SELECT RAISE(ABORT, 'an event is never changed: record a correction'); END;
CREATE TRIGGER event_is_not_deleted BEFORE DELETE ON event
BEGIN SELECT RAISE(ABORT, 'an event is never deleted: record a retraction'); END;
CREATE TRIGGER stream_is_not_changed BEFORE UPDATE ON stream
BEGIN SELECT RAISE(ABORT, 'a stream keeps its name'); END;
CREATE TRIGGER stream_is_not_deleted BEFORE DELETE ON stream
BEGIN SELECT RAISE(ABORT, 'a stream is never deleted'); END;
CREATE TRIGGER kind_is_not_changed BEFORE UPDATE ON kind
BEGIN SELECT RAISE(ABORT, 'a kind keeps its name'); END;
CREATE TRIGGER kind_is_not_deleted BEFORE DELETE ON kind
BEGIN SELECT RAISE(ABORT, 'a kind is never deleted'); END;

-- For people with any SQLite shell: SELECT * FROM log WHERE stream = '...';
-- Day 719163 is 1970-01-01. The seconds are rounded down before 1970 too.
CREATE VIEW log AS
SELECT
  event.position,
  stream.name AS stream,
  event.version,
  event.id,
  kind.name AS kind,
  strftime('%Y-%m-%dT%H:%M:%S', (recorded_us - (recorded_us % 1000000 + 1000000)
    % 1000000) / 1000000, 'unixepoch')
    || printf('.%06dZ', (recorded_us % 1000000 + 1000000) % 1000000) AS recorded,
  date((earliest - 719163) * 86400, 'unixepoch') AS earliest,
  date((latest - 719163) * 86400, 'unixepoch') AS latest,
  CAST(payload AS TEXT) AS payload,
  CAST(metadata AS TEXT) AS metadata
FROM event
JOIN stream ON stream.id = event.stream
JOIN kind ON kind.id = event.kind
ORDER BY event.position;
