-- marker zz.marker
-- Many schemas, odd names, partitions, and tables that come later: who is captured, under which name.
CREATE SCHEMA s1;
CREATE SCHEMA s2;
CREATE SCHEMA s3;
CREATE SCHEMA a_b;
CREATE SCHEMA "Schéma 1";
CREATE TABLE s1.a (pk serial PRIMARY KEY, aa integer);
CREATE TABLE s2.a (pk serial PRIMARY KEY, aa integer, bb varchar(20));
CREATE TABLE s3.a (pk serial PRIMARY KEY, aa integer);
CREATE TABLE s3.b (pk serial PRIMARY KEY, aa integer);
CREATE TABLE a_b.c_d (pk serial PRIMARY KEY, "a-a" integer);
CREATE TABLE s1."back\slash" (pk int PRIMARY KEY, "a\b" text);
CREATE TABLE s1."dbz_878_some|test@data" (pk int PRIMARY KEY, aa text);
CREATE TABLE s1."Mixed.Case" (pk int PRIMARY KEY, "Column" text, "co.lu.mn" text);
CREATE TABLE "Schéma 1"."テスト" ("キー" int PRIMARY KEY, "café.名前" text);
CREATE TABLE s2.parted (id int, part int, v text, PRIMARY KEY (id, part)) PARTITION BY RANGE (part);
CREATE TABLE s2.parted_low PARTITION OF s2.parted FOR VALUES FROM (0) TO (10);
CREATE TABLE s2.parted_high PARTITION OF s2.parted FOR VALUES FROM (10) TO (20) PARTITION BY LIST (part);
CREATE TABLE s2.parted_ten PARTITION OF s2.parted_high FOR VALUES IN (10, 11);
CREATE VIEW s2.view AS SELECT * FROM s2.a;
CREATE MATERIALIZED VIEW s2.matview AS SELECT 1 AS pk;
INSERT INTO s1.a(aa) VALUES (1);
INSERT INTO s2.a(aa, bb) VALUES (1, 'one');
INSERT INTO s3.a(aa) VALUES (1);
INSERT INTO a_b.c_d("a-a") VALUES (1);
INSERT INTO s1."back\slash" VALUES (1, 'x');
INSERT INTO s1."Mixed.Case" VALUES (1, 'x', 'y');
INSERT INTO "Schéma 1"."テスト" VALUES (1, 'ä');
INSERT INTO s2.parted VALUES (1, 1, 'low'), (2, 10, 'ten');
-- stream
INSERT INTO s1.a(aa) VALUES (2);
INSERT INTO s2.a(aa, bb) VALUES (2, 'two');
INSERT INTO s3.a(aa) VALUES (2);
INSERT INTO s3.b(aa) VALUES (2);
INSERT INTO a_b.c_d("a-a") VALUES (2);
INSERT INTO s1."back\slash" VALUES (2, 'y');
INSERT INTO s1."dbz_878_some|test@data" VALUES (2, 'y');
INSERT INTO s1."Mixed.Case" VALUES (2, 'x', 'y');
UPDATE "Schéma 1"."テスト" SET "café.名前" = '名' WHERE "キー" = 1;
UPDATE s1.a SET aa = 3 WHERE pk = 1;
UPDATE s1.a SET pk = 9 WHERE pk = 2;
DELETE FROM s2.a WHERE pk = 1;
INSERT INTO s2.parted VALUES (3, 2, 'low'), (4, 11, 'ten');
UPDATE s2.parted SET part = 11 WHERE id = 1;
UPDATE s2.parted SET v = 'changed' WHERE id = 2;
DELETE FROM s2.parted WHERE id = 3;
-- wait
CREATE TABLE s1.later (id int PRIMARY KEY, v text);
INSERT INTO s1.later VALUES (1, 'while it runs');
CREATE TABLE s2.later (id int, v text DEFAULT 'd');
INSERT INTO s2.later VALUES (1, 'while it runs');
CREATE TABLE s2.parted_last PARTITION OF s2.parted DEFAULT;
INSERT INTO s2.parted VALUES (5, 99, 'last');
INSERT INTO s1.a(aa) VALUES (4);
-- restart
INSERT INTO s1.later VALUES (2, 'while it is stopped');
INSERT INTO s1.a(aa) VALUES (5);
-- wait
INSERT INTO s1.later VALUES (3, 'again');
INSERT INTO s2.later VALUES (3, 'again');
CREATE TABLE s1.latest (id int PRIMARY KEY, v text);
INSERT INTO s1.latest VALUES (1, 'again');
