-- marker zz.marker
-- Heartbeats with a query, and logical messages.
CREATE SCHEMA s1;
CREATE TABLE s1.a (pk serial PRIMARY KEY, aa integer);
CREATE TABLE s1.beat (id int PRIMARY KEY, v text);
CREATE TABLE s1.hidden (pk serial PRIMARY KEY, aa integer);
INSERT INTO s1.a(aa) VALUES (1);
-- stream
DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM s1.beat) LOOP PERFORM pg_sleep(0.05); END LOOP; END $$;
INSERT INTO s1.hidden(aa) VALUES (1);
SELECT pg_logical_emit_message(false, 'foo', 'bar');
BEGIN;
SELECT pg_logical_emit_message(true, 'foo', 'in a transaction');
INSERT INTO s1.a(aa) VALUES (2);
SELECT pg_logical_emit_message(true, 'other', E'\\xff00fe'::bytea);
SELECT pg_logical_emit_message(false, 'foo', 'in no transaction');
COMMIT;
SELECT pg_logical_emit_message(true, 'foo', 'alone');
SELECT pg_logical_emit_message(false, 'secret', 'hidden');
SELECT pg_logical_emit_message(true, 'food', '');
SELECT pg_logical_emit_message(true, '', 'no prefix');
SELECT pg_logical_emit_message(true, 'Foo', 'ünïcode 名');
BEGIN;
SELECT pg_logical_emit_message(true, 'foo', 'of a transaction that is rolled back');
INSERT INTO s1.a(aa) VALUES (3);
ROLLBACK;
-- wait
INSERT INTO s1.a(aa) VALUES (4);
