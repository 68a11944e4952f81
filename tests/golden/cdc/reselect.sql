-- Columns that post processors read again: unchanged large values of all types, nulls; rows that
-- are gone or changed again, new keys, tables without a key or with another.
CREATE EXTENSION IF NOT EXISTS hstore;
CREATE SCHEMA IF NOT EXISTS s1;
CREATE TABLE s1.toast (id int PRIMARY KEY, t text, v varchar(900), j json, jb jsonb, x xml, y bytea,
    ta text[], ia int[], ba bigint[], ya bytea[], h hstore, num numeric, n int, need text NOT NULL)
    WITH (toast_tuple_target = 128);
ALTER TABLE s1.toast ALTER t SET STORAGE EXTERNAL, ALTER v SET STORAGE EXTERNAL,
    ALTER j SET STORAGE EXTERNAL, ALTER jb SET STORAGE EXTERNAL, ALTER x SET STORAGE EXTERNAL,
    ALTER y SET STORAGE EXTERNAL, ALTER ta SET STORAGE EXTERNAL, ALTER ia SET STORAGE EXTERNAL,
    ALTER ba SET STORAGE EXTERNAL, ALTER ya SET STORAGE EXTERNAL, ALTER h SET STORAGE EXTERNAL,
    ALTER num SET STORAGE EXTERNAL, ALTER need SET STORAGE EXTERNAL;
CREATE TABLE s1.full_id (id int PRIMARY KEY, t text, v text);
ALTER TABLE s1.full_id REPLICA IDENTITY FULL;
CREATE TABLE s1.keyless (id int, t text, v text);
CREATE TABLE s1.by_index (k uuid NOT NULL, t text, v text);
CREATE UNIQUE INDEX by_index_k ON s1.by_index (k);
ALTER TABLE s1.by_index REPLICA IDENTITY USING INDEX by_index_k;
CREATE TABLE s1.ruled (id int PRIMARY KEY, b int, c text, t text, d text DEFAULT 'dflt');
INSERT INTO s1.full_id VALUES (100, NULL, NULL);
-- stream
INSERT INTO s1.toast SELECT 1, repeat('t', 300), repeat('v', 300), json_build_object('j', repeat('j', 300)),
    jsonb_build_object('jb', repeat('b', 300)), xmlparse(content '<x>' || repeat('x', 300) || '</x>'),
    decode(repeat('0aff', 150), 'hex'), ARRAY[repeat('a', 150), NULL, repeat('"', 150)],
    array_agg(i), array_agg(i::bigint << 33), ARRAY[decode(repeat('00', 150), 'hex'), decode(repeat('01', 150), 'hex')],
    hstore('k', repeat('h', 300)), (repeat('7', 700) || '.5')::numeric, 1, repeat('n', 300)
    FROM generate_series(1, 80) i;
-- wait
UPDATE s1.toast SET n = 2;
-- wait
UPDATE s1.toast SET t = NULL, ta = NULL;
-- wait
UPDATE s1.toast SET id = 2;
-- wait
BEGIN; UPDATE s1.toast SET n = 3; UPDATE s1.toast SET t = 'new', j = NULL, n = 4; COMMIT;
-- wait
BEGIN; UPDATE s1.toast SET n = 5; DELETE FROM s1.toast; COMMIT;
-- wait
BEGIN; INSERT INTO s1.full_id VALUES (1, NULL, 'v'); UPDATE s1.full_id SET t = 'later' WHERE id = 1; COMMIT;
-- wait
BEGIN; UPDATE s1.full_id SET t = NULL, v = NULL; UPDATE s1.full_id SET v = 'v' || id; COMMIT;
-- wait
BEGIN; INSERT INTO s1.full_id VALUES (2, NULL, NULL); DELETE FROM s1.full_id WHERE id = 2; COMMIT;
-- wait
INSERT INTO s1.keyless VALUES (1, NULL, 'v');
-- wait
INSERT INTO s1.keyless VALUES (2, NULL, NULL);
-- wait
BEGIN; INSERT INTO s1.by_index VALUES ('b1164c91-b574-495c-9f17-c4899d88404c', NULL, NULL);
UPDATE s1.by_index SET t = 'found'; COMMIT;
-- wait
BEGIN; UPDATE s1.by_index SET k = 'c1164c91-b574-495c-9f17-c4899d88404c', t = NULL; UPDATE s1.by_index SET v = 'too'; COMMIT;
-- wait
BEGIN; INSERT INTO s1.ruled VALUES (1, 10, 'ten', NULL, NULL); UPDATE s1.ruled SET t = 'one'; COMMIT;
-- wait
BEGIN; INSERT INTO s1.ruled VALUES (2, 20, NULL, NULL, 'd'); UPDATE s1.ruled SET c = 'c', t = 'two' WHERE id = 2; COMMIT;
-- wait
BEGIN; INSERT INTO s1.ruled VALUES (3, NULL, 'thirty', NULL); UPDATE s1.ruled SET b = 30, t = 'three' WHERE id = 3; COMMIT;
