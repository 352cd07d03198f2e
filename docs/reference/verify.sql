-- Checks an exported log with PostgreSQL's own SHA-256, and nothing of ours.
--
--   psql -v log=log.csv -v size=3 -v root=+gyIVfwI/9Lk60C5oALTxv5CKVUoaeIjCTU60PRrnL8= \
--        -f verify.sql
--
-- log:  the exported file (docs/how-to/check-without-us.md), read by psql
-- size: the number in the second line of a checkpoint
-- root: its third line
--
-- Everything is temporary: the database is left as it was. Each row of the answer is a
-- check, and psql ends with status 3 unless all of them hold. PostgreSQL 11 or newer.

\set ON_ERROR_STOP on
\set QUIET on
\pset footer off
set client_encoding to utf8;

begin;

create temp table event (
  position    bigint not null,
  stream      text   not null,
  version     bigint not null,
  kind        text   not null,
  id          text   not null,
  recorded_at text   not null,
  payload     text   not null, -- hexadecimal, as is metadata
  metadata    text   not null
) on commit drop;

-- \copy knows no variables; the file is read by this shell, not by the server.
\set load '\\copy event from ' :'log' ' with (format csv, header true)'
:load

-- The text that is hashed, line by line as src/azcn_events/core/leaf.py writes it.
create temp table leaf on commit drop as
select position, sha256('\x00'::bytea || convert_to(
         'azcn-event/1' || E'\n'
         || position || E'\n' || stream || E'\n' || version || E'\n'
         || kind || E'\n' || id || E'\n' || recorded_at || E'\n'
         || length(decode(payload, 'hex')) || ' '
         || encode(sha256(decode(payload, 'hex')), 'hex') || E'\n'
         || length(decode(metadata, 'hex')) || ' '
         || encode(sha256(decode(metadata, 'hex')), 'hex') || E'\n',
       'UTF8')) as hash
from event
where position <= :size;

-- RFC 9162, 2.1: level by level, two hashes make one; an odd one at the end goes up
-- unchanged; the tree without leaves has the hash of nothing.
create temp table tree on commit drop as
with recursive level (place, width, hash) as (
  select position - 1, count(*) over (), hash from leaf
  union all
  select place / 2, (width + 1) / 2,
         case when beside is null then hash else sha256('\x01'::bytea || hash || beside) end
  from (select place, width, hash, lead(hash) over (order by place) as beside
        from level where width > 1) as below
  where place % 2 = 0
)
select encode(coalesce((select hash from level where width = 1), sha256('')), 'base64')
         as root;

create temp table checked on commit drop as
  select 1 as number, 'as many events as the checkpoint says' as "check",
         :size::text as expected, count(*)::text as actual
  from leaf
union all
  select 2, 'their positions are all different, from 1 up',
         :size::text, count(distinct position)::text
  from leaf where position >= 1
union all
  select 3, 'versions count from 1 without gaps in each stream', '0 others',
         count(*) || ' others'
  from (select version, row_number() over (partition by stream order by position) as turn
        from event where position <= :size) as turns
  where version <> turn
union all
  select 4, 'no id occurs twice', '0 ids', count(*) || ' ids'
  from (select id from event where position <= :size
        group by id having count(*) > 1) as twice
union all
  select 5, 'the root is the checkpoint''s', :'root', root
  from tree;

select "check", expected, actual, expected = actual as holds from checked order by number;

do $$
begin
  if exists (select from checked where expected <> actual) then
    raise exception 'this log is not what the checkpoint says';
  end if;
end $$;

commit;
