-- marker zz.marker
-- Which rows a snapshot reads, of which tables, in which order.
CREATE SCHEMA s1;
CREATE TABLE s1.big (pk int PRIMARY KEY, v text);
CREATE TABLE s1.one (pk int PRIMARY KEY, v text);
CREATE TABLE s1.two (pk int PRIMARY KEY, v text, "Höhe" numeric(5,2));
CREATE TABLE s1.empty (pk int PRIMARY KEY);
CREATE TABLE s1.zero (pk int PRIMARY KEY);
CREATE TABLE s1."Odd, name" (pk int PRIMARY KEY, v text);
CREATE TABLE s1.keyless (v text);
CREATE VIEW s1.view AS SELECT * FROM s1.big;
CREATE MATERIALIZED VIEW s1.matview AS SELECT 1 AS pk;
CREATE FOREIGN DATA WRAPPER nowhere;
CREATE SERVER nowhere FOREIGN DATA WRAPPER nowhere;
CREATE FOREIGN TABLE s1.far (pk int) SERVER nowhere;
CREATE UNLOGGED TABLE s1.unlogged (pk int PRIMARY KEY);
INSERT INTO s1.big SELECT i, 'row ' || i FROM generate_series(1, 9) i;
INSERT INTO s1.one VALUES (1, 'one');
INSERT INTO s1.two VALUES (1, 'one', 1.5), (2, NULL, NULL);
INSERT INTO s1."Odd, name" VALUES (1, 'one'), (2, 'two'), (3, 'three');
INSERT INTO s1.keyless VALUES ('a'), ('b'), ('c'), ('d');
INSERT INTO s1.unlogged VALUES (1);
ANALYZE s1.big; ANALYZE s1.one; ANALYZE s1.two; ANALYZE s1.empty; ANALYZE s1."Odd, name"; ANALYZE s1.keyless;
-- stream
INSERT INTO s1.big VALUES (10, 'after');
INSERT INTO s1.two VALUES (3, 'after', 0);
INSERT INTO s1.empty VALUES (1);
