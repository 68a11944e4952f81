-- Transactions of one and of more tables, with messages, new keys, truncates, filtered tables, nothing.
CREATE SCHEMA IF NOT EXISTS s1;
CREATE TABLE s1.a (pk serial PRIMARY KEY, aa integer);
CREATE TABLE s1.b (pk serial PRIMARY KEY, aa integer);
CREATE TABLE s1.full_id (pk int PRIMARY KEY, aa integer);
ALTER TABLE s1.full_id REPLICA IDENTITY FULL;
CREATE TABLE s1.hidden (pk serial PRIMARY KEY, aa integer);
INSERT INTO s1.a(aa) VALUES (1), (2), (3);
INSERT INTO s1.full_id VALUES (1, 1);
-- stream
INSERT INTO s1.a(aa) VALUES (4);
BEGIN; INSERT INTO s1.a(aa) VALUES (5), (6); INSERT INTO s1.b(aa) VALUES (7); UPDATE s1.a SET aa = aa + 1; COMMIT;
BEGIN; UPDATE s1.a SET pk = 20 WHERE pk = 2; DELETE FROM s1.a WHERE pk = 3; COMMIT;
BEGIN; INSERT INTO s1.hidden(aa) VALUES (1); COMMIT;
BEGIN; INSERT INTO s1.hidden(aa) VALUES (1); INSERT INTO s1.b(aa) VALUES (8); COMMIT;
BEGIN; SELECT pg_logical_emit_message(true, 'p', 'inside'); INSERT INTO s1.b(aa) VALUES (9); COMMIT;
SELECT pg_logical_emit_message(false, 'p', 'outside');
BEGIN; UPDATE s1.full_id SET aa = aa; UPDATE s1.full_id SET aa = 2; COMMIT;
BEGIN; INSERT INTO s1.b(aa) VALUES (10); ALTER TABLE s1.b ADD COLUMN c int; INSERT INTO s1.b(aa) VALUES (11); COMMIT;
-- wait
BEGIN; TRUNCATE s1.a, s1.b; INSERT INTO s1.a(aa) VALUES (12); COMMIT;
