-- Tables change while they are streamed. At "-- wait" both sides have caught up, as both look into the
-- catalog when the server announces a table anew.
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE s1.a (pk int PRIMARY KEY, aa int, bb text);
CREATE TABLE s1.keyed (x int NOT NULL, y text NOT NULL, z int NOT NULL, v int, PRIMARY KEY (x));
CREATE TABLE s1.whole (id int PRIMARY KEY, v int NOT NULL, t text);
ALTER TABLE s1.whole REPLICA IDENTITY FULL;
CREATE TABLE s1.gone (id int PRIMARY KEY, v int);
CREATE TABLE s1.parent (id int, part int, v text, PRIMARY KEY (id, part)) PARTITION BY LIST (part);
CREATE TABLE s1.parent_1 PARTITION OF s1.parent FOR VALUES IN (1);
CREATE TABLE s1.parent_2 (id int, part int NOT NULL, v text, PRIMARY KEY (id, part));
INSERT INTO s1.a VALUES (1, 1, 'one'), (2, 2, 'two');
INSERT INTO s1.keyed VALUES (1, 'a', 1, 1), (2, 'b', 2, 2);
INSERT INTO s1.whole VALUES (1, 1, 'one'), (2, 2, NULL);
-- stream
UPDATE s1.a SET aa = 10 WHERE pk = 1;
-- wait
ALTER TABLE s1.a ADD COLUMN cc numeric(5,2) DEFAULT 1.5;
UPDATE s1.a SET aa = 11 WHERE pk = 1;
INSERT INTO s1.a VALUES (3, 3, 'three', NULL);
-- wait
ALTER TABLE s1.a ADD COLUMN dd mood NOT NULL DEFAULT 'ok';
UPDATE s1.a SET aa = 12 WHERE pk = 1;
-- wait
ALTER TABLE s1.a RENAME COLUMN bb TO "Renamed";
UPDATE s1.a SET aa = 13 WHERE pk = 1;
-- wait
ALTER TABLE s1.a DROP COLUMN cc;
UPDATE s1.a SET aa = 14 WHERE pk = 1;
DELETE FROM s1.a WHERE pk = 3;
-- wait
ALTER TABLE s1.a ALTER COLUMN aa TYPE smallint;
UPDATE s1.a SET aa = 15 WHERE pk = 1;
-- wait
ALTER TABLE s1.a ALTER COLUMN aa TYPE text USING aa::text;
ALTER TABLE s1.a ALTER COLUMN "Renamed" TYPE varchar(9);
UPDATE s1.a SET aa = 'sixteen' WHERE pk = 1;
-- wait
ALTER TYPE mood ADD VALUE 'happy' BEFORE 'ok';
ALTER TABLE s1.a ADD COLUMN ee int;
-- wait
UPDATE s1.a SET dd = 'happy' WHERE pk = 1;
-- wait
ALTER TABLE s1.a ALTER COLUMN ee SET DEFAULT 7;
ALTER TABLE s1.a ALTER COLUMN dd DROP NOT NULL;
INSERT INTO s1.a (pk, dd) VALUES (4, NULL);
-- wait
ALTER TABLE s1.a DROP COLUMN ee, ADD COLUMN ee text DEFAULT 'again';
INSERT INTO s1.a (pk) VALUES (5);
BEGIN;
ALTER TABLE s1.a ADD COLUMN ff int;
INSERT INTO s1.a (pk, ff) VALUES (6, 6);
ROLLBACK;
UPDATE s1.a SET ee = 'x' WHERE pk = 5;
-- wait
ALTER TABLE s1.keyed DROP CONSTRAINT keyed_pkey;
ALTER TABLE s1.keyed ADD PRIMARY KEY (y, x);
UPDATE s1.keyed SET v = 3 WHERE x = 1;
UPDATE s1.keyed SET y = 'c' WHERE x = 2;
-- wait
ALTER TABLE s1.keyed RENAME COLUMN y TO why;
UPDATE s1.keyed SET v = 4 WHERE x = 1;
-- wait
ALTER TABLE s1.keyed ALTER COLUMN x TYPE bigint;
UPDATE s1.keyed SET v = 5 WHERE x = 1;
DELETE FROM s1.keyed WHERE x = 2;
-- wait
ALTER TABLE s1.keyed DROP CONSTRAINT keyed_pkey;
CREATE UNIQUE INDEX keyed_z ON s1.keyed (z);
ALTER TABLE s1.keyed REPLICA IDENTITY USING INDEX keyed_z;
UPDATE s1.keyed SET v = 6 WHERE x = 1;
-- wait
ALTER TABLE s1.whole REPLICA IDENTITY DEFAULT;
UPDATE s1.whole SET v = 3 WHERE id = 1;
DELETE FROM s1.whole WHERE id = 2;
-- wait
ALTER TABLE s1.whole REPLICA IDENTITY FULL;
ALTER TABLE s1.whole ADD COLUMN n int;
UPDATE s1.whole SET n = 3 WHERE id = 1;
-- wait
INSERT INTO s1.gone VALUES (1, 1);
-- wait
DROP TABLE s1.gone;
CREATE TABLE s1.gone (name text PRIMARY KEY, w numeric);
INSERT INTO s1.gone VALUES ('new', 1.50);
-- wait
CREATE TABLE s1.later (id bigserial PRIMARY KEY, v text);
INSERT INTO s1.later (v) VALUES ('later');
-- wait
ALTER TABLE s1.later RENAME TO latest;
UPDATE s1.latest SET v = 'latest';
-- wait
INSERT INTO s1.parent VALUES (1, 1, 'one');
INSERT INTO s1.parent_2 VALUES (2, 2, 'two');
-- wait
ALTER TABLE s1.parent ATTACH PARTITION s1.parent_2 FOR VALUES IN (2);
UPDATE s1.parent SET part = 2 WHERE id = 1;
UPDATE s1.parent SET v = 'zwei' WHERE id = 2;
CREATE TABLE s1.parent_3 PARTITION OF s1.parent FOR VALUES IN (3);
INSERT INTO s1.parent VALUES (3, 3, 'three');
-- wait
ALTER TABLE s1.parent ADD COLUMN more int;
UPDATE s1.parent SET more = 1;
