-- Columns that are masked, hashed, cut or described, and names that Avro does not allow.
CREATE SCHEMA IF NOT EXISTS s1;
CREATE TYPE s1.mood AS ENUM ('sad', 'happy');
CREATE DOMAIN s1.code AS varchar(3);
CREATE DOMAIN s1.price AS numeric(6,3);
CREATE TABLE s1.people (id serial PRIMARY KEY, email varchar(20), nick text, pin char(4),
    note text NOT NULL DEFAULT 'none', bio bytea, j json, u uuid, m s1.mood, n numeric(8,2), tz timestamptz(3),
    tag varchar(3), long varchar(200), same text, need varchar(9) NOT NULL);
CREATE TABLE s1.keyed (email varchar(20), part int, v text, PRIMARY KEY (email, part));
CREATE TABLE s1.whole (id int PRIMARY KEY, email varchar(20) NOT NULL, big text, v int);
ALTER TABLE s1.whole REPLICA IDENTITY FULL;
ALTER TABLE s1.whole ALTER big SET STORAGE EXTERNAL;
CREATE TABLE s1.part_toast (id int PRIMARY KEY, big text, hashed text, v int);
ALTER TABLE s1.part_toast ALTER big SET STORAGE EXTERNAL, ALTER hashed SET STORAGE EXTERNAL;
CREATE TABLE s1.kinds (id bigserial PRIMARY KEY, i2 smallint, i4 int, i8 bigint, o oid, f4 real, f8 double precision,
    n numeric, n82 numeric(8,2), n5 numeric(5), b boolean, c1 char, c4 char(4), vc varchar, vc9 varchar(9), t text,
    d date, t3 time(3), t6 time, tt timetz, ts timestamp, ts3 timestamp(3), tz timestamptz, tz0 timestamptz(0),
    iv interval, by bytea, bt bit, b5 bit(5), vb varbit(7), j json, jb jsonb, u uuid, x xml, ip inet, mo money,
    p point, ia int[], va varchar(5)[], r int4range, m s1.mood, dc s1.code, dp s1.price, nn varchar(7) NOT NULL);
COMMENT ON COLUMN s1.kinds.vc9 IS 'nine at most';
CREATE TABLE s1."odd-names" ("id" int PRIMARY KEY, "1st" int, "käse" text, "a b-c" text, "under_score" int, "d.t" int,
    "ął" text, "x😀" int);
INSERT INTO s1.people VALUES (1, 'test@example.com', 'hello', 'ab', 'long note', '\x0102030405', '{"a":1}',
    '2f6b0e26-3d2b-4f29-9f0b-3f9f6f1cf9e4', 'happy', 12.34, '2020-01-02 03:04:05.678+00', 'abc', repeat('y', 150),
    'same', 'needed'),
    (2, NULL, NULL, NULL, 'n', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'x'),
    (3, 'z', 'äöü€😀', 'wxyz', 'äöü€', '\x01', '[]', NULL, 'sad', 0, NULL, 'äöü', 'ä', '', '');
INSERT INTO s1.keyed VALUES ('a@b.c', 1, 'v');
INSERT INTO s1.whole VALUES (1, 'whole@x', repeat('b', 20), 1);
INSERT INTO s1.kinds(id, nn) VALUES (1, 'nn');
INSERT INTO s1."odd-names" VALUES (1, 1, 'k', 'abc', 1, 2, 'a', 3);
-- stream
INSERT INTO s1.people SELECT id + 10, email, nick, pin, note, bio, j, u, m, n, tz, tag, long, same, need FROM s1.people;
UPDATE s1.people SET email = 'changed' WHERE id = 11;
DELETE FROM s1.people WHERE id = 12;
INSERT INTO s1.keyed VALUES ('d@e.f', 2, 'w');
UPDATE s1.keyed SET v = NULL WHERE part = 2;
UPDATE s1.keyed SET email = 'g@h.i' WHERE part = 2;
DELETE FROM s1.keyed WHERE part = 2;
UPDATE s1.whole SET v = v;
UPDATE s1.whole SET v = 2;
UPDATE s1.whole SET email = 'other@x';
UPDATE s1.whole SET id = 2;
DELETE FROM s1.whole;
INSERT INTO s1.part_toast SELECT 1, string_agg(md5(i::text), ''), string_agg(md5(i::text), ''), 1 FROM generate_series(1, 200) i;
UPDATE s1.part_toast SET v = 2;
INSERT INTO s1.kinds(id, nn) VALUES (2, 'nn');
UPDATE s1."odd-names" SET "1st" = 5;
DELETE FROM s1."odd-names";
