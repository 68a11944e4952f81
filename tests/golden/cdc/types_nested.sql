-- Arrays of more than one dimension, of every type that has arrays; beside those of one in the same columns.
CREATE EXTENSION IF NOT EXISTS hstore;
CREATE EXTENSION IF NOT EXISTS citext;
CREATE EXTENSION IF NOT EXISTS ltree;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'very happy');
CREATE TABLE plain (
    id int PRIMARY KEY, sa smallint[], ia int[][] NOT NULL, la bigint[], fa real[], da float8[],
    na numeric(10,2)[], nv numeric[], ba bool[], oa oid[]);
CREATE TABLE strings (
    id int PRIMARY KEY, ta text[][] NOT NULL, va varchar(5)[], ca char(3)[], cta citext[], ja json[],
    jba jsonb[], ua uuid[], inea inet[], lta ltree[], ira int4range[], ea mood[], ha hstore[]);
CREATE TABLE times (
    id int PRIMARY KEY, da date[][] NOT NULL, ma time[], mz timetz[], sa timestamp[], za timestamptz[], bya bytea[]);

INSERT INTO plain VALUES
    (1, '{{1,2},{3,4}}', '{{1,2},{3,4}}', '{{1},{2},{3}}', '{{1.5}}', '{{1.5},{NULL}}', '{{1.25}}', '{{1.25}}', '{{t,f}}', '{{1}}'),
    (2, '{5}', '{5}', '{6,NULL}', '{1.5}', '{2.5}', '{1.25}', '{1.5}', '{t}', '{1}'),
    (3, '{{{{{{1}}}}}}', '[0:1][2:2]={{1},{2}}', '[5:5]={7}', NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO strings VALUES
    (1, '{{a,b},{"}{",NULL}}', '{{a}}', '{{a}}', '{{a}}', '{{1}}', '{{1}}', '{{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}}',
     '{{10.0.0.1}}', '{{a.b}}', '{{"[1,2)"}}', '{{ok,sad}}', '{{"a=>1"}}'),
    (2, '{"{a}","}"}', '{a}', '{a}', '{a}', '{1}', '{1}', '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}', '{10.0.0.1}',
     '{a.b}', '{"[1,2)"}', '{ok}', '{"a=>1"}');
INSERT INTO times VALUES
    (1, '{{2020-01-02},{2020-01-03}}', '{{04:05:06}}', '{{04:05:06+00}}', '{{"2020-01-02 03:04:05"}}', '{{"2020-01-02 03:04:05+00"}}', '{{"\\x01"}}'),
    (2, '{2020-01-02}', '{04:05:06}', '{04:05:06+00}', '{"2020-01-02 03:04:05"}', '{"2020-01-02 03:04:05+00"}', '{"\\x01"}');
-- stream
INSERT INTO plain SELECT id + 10, sa, ia, la, fa, da, na, nv, ba, oa FROM plain;
INSERT INTO strings SELECT id + 10, ta, va, ca, cta, ja, jba, ua, inea, lta, ira, ea, ha FROM strings;
INSERT INTO times SELECT id + 10, da, ma, mz, sa, za, bya FROM times;
UPDATE plain SET ia = '{{9},{8}}' WHERE id = 2;
UPDATE strings SET ta = '{x}' WHERE id = 1;
DELETE FROM plain WHERE id = 1;
