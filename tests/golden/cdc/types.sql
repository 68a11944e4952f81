-- Every type of the table, NULLs, deletes with required columns. "-- stream" ends what is there
-- before the connector starts.
CREATE EXTENSION IF NOT EXISTS hstore;
CREATE EXTENSION IF NOT EXISTS citext;
CREATE EXTENSION IF NOT EXISTS ltree;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'very happy');
CREATE DOMAIN posint AS integer CHECK (VALUE > 0);
CREATE DOMAIN money2 AS numeric(6,3);
CREATE DOMAIN short AS varchar(3);
CREATE DOMAIN shorter AS short;
CREATE TYPE pair AS (a int, b text);

CREATE TABLE numbers (
    id serial PRIMARY KEY, si smallint, i integer, bi bigint, r real, db double precision,
    n numeric, nps numeric(5,2), n0 numeric(10,0), big numeric(40,5), ss smallserial, bs bigserial,
    b boolean, o oid, m money);
CREATE TABLE texts (
    id int PRIMARY KEY, c char(5), vc varchar(20), t text, bp bpchar, nm name, ch "char",
    ct citext, ba bytea, u uuid, j json, jb jsonb, x xml, lt ltree, ts tsvector, e mood,
    h hstore, ine inet, cid cidr, mac macaddr, mac8 macaddr8);
CREATE TABLE times (
    id int PRIMARY KEY, d date, t time, t0 time(0), t3 time(3), t6 time(6), tz timetz, tz3 timetz(3),
    ts timestamp, ts0 timestamp(0), ts3 timestamp(3), ts6 timestamp(6), tstz timestamptz,
    tstz0 timestamptz(0), tstz3 timestamptz(3), iv interval);
CREATE TABLE others (
    id int PRIMARY KEY, b1 bit(1), b3 bit(3), b10 bit(10), vb varbit, vb5 varbit(5), p point,
    ir int4range, lr int8range, nr numrange, tr tsrange, tzr tstzrange, dr daterange,
    po posint, mo money2, sh shorter, co pair, bx box, ls pg_lsn);
CREATE TABLE arrays (
    id int PRIMARY KEY, sa smallint[], ia int[], la bigint[], ta text[], va varchar(5)[],
    ca char(3)[], na numeric(10,2)[], nv numeric[], fa real[], da float8[], ba bool[], dta date[],
    tma time[], tsa timestamp[], tza timestamptz[], ua uuid[], ja json[], jba jsonb[],
    bya bytea[], inea inet[], ea mood[], cta citext[], oa oid[], ira int4range[]);
CREATE TABLE required (
    id int PRIMARY KEY, si smallint NOT NULL, bi bigint NOT NULL, r real NOT NULL,
    n numeric(5,2) NOT NULL, nv numeric NOT NULL, b boolean NOT NULL, t text NOT NULL,
    ba bytea NOT NULL, u uuid NOT NULL, j json NOT NULL, d date NOT NULL, tm time NOT NULL,
    ts timestamp NOT NULL, tz timestamptz NOT NULL, ttz timetz NOT NULL, iv interval NOT NULL,
    p point NOT NULL, h hstore NOT NULL, a int[] NOT NULL, e mood NOT NULL, bt bit(4) NOT NULL,
    ine inet NOT NULL, m money NOT NULL);
CREATE TABLE defaults (
    id bigserial PRIMARY KEY, i int DEFAULT 5, neg int DEFAULT -7, ni int NOT NULL DEFAULT 6,
    bi bigint DEFAULT '123456789012', f float8 DEFAULT 1.5, n numeric(5,2) DEFAULT 12.34,
    t text DEFAULT 'it''s', v varchar(10) NOT NULL DEFAULT 'abc', b boolean DEFAULT true,
    nb boolean NOT NULL DEFAULT false, d date DEFAULT '2020-02-29', ts timestamp DEFAULT now(),
    nts timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP, tz timestamptz DEFAULT now(),
    tl timestamp DEFAULT '2021-01-02 03:04:05', u uuid DEFAULT gen_random_uuid(),
    j jsonb DEFAULT '{"a": 1}', e mood DEFAULT 'ok', nul text DEFAULT NULL,
    fn text DEFAULT lower('ABC'), bt bit(3) DEFAULT B'101', tm time DEFAULT '04:05:06',
    sm smallint DEFAULT '-3', iv interval DEFAULT '1 day', ar int[] DEFAULT '{1,2}',
    ba bytea DEFAULT '\x0102');

INSERT INTO numbers VALUES (1, 1, 123456, 1234567890123, 3.3, 4.44, 10.1111, 1.1, 1234567890,
    -12345678901234567890123456789.12345, 2, 3, true, 4000000000, '$1,234.11');
INSERT INTO texts VALUES (1, 'abc', 'varchar', 'a "text" with \ and
newline	tab', 'bp', 'name', 'c', 'CiText', '\x01ff00', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
    '{"a":  1}', '{"b": [1, 2]}', '<a>b</a>', 'a.b.c', 'a fat cat', 'very happy',
    'k=>v, "a b"=>NULL, "q\"q"=>"1,2"', '192.168.2.0/12', '192.168.0.0/16', '08:00:2b:01:02:03',
    '08:00:2b:01:02:03:04:05');
INSERT INTO times VALUES (1, '2017-09-15', '04:05:11.789123', '04:05:11', '04:05:11.789',
    '24:00:00', '13:51:30.123789+02:00', '13:51:30.5+02', '2016-11-04T13:51:30.123456',
    '2016-11-04T13:51:30', '2016-11-04T13:51:30.123', '2016-11-04T13:51:30.5',
    '2016-11-04T13:51:30.123456+02:00', '2016-11-04T13:51:30+02', '2016-11-04T13:51:30.12+02',
    '1 year 2 mons 3 days 04:05:06.78');
-- stream
INSERT INTO numbers VALUES (2, -1, -123456, -1234567890123, -3.3e30, -4.44e-300, 100, -1.10, -5,
    0.00001, 7, 8, false, 0, '-$0.05');
INSERT INTO numbers(id) VALUES (3);
INSERT INTO numbers VALUES (4, 32767, 2147483647, 9223372036854775807, 'NaN', 'Infinity', -0.000,
    999.99, 0, 99999999999999999999999999999999999.99999, 1, 1, true, 1, '$92,233.07');
INSERT INTO numbers VALUES (5, -32768, -2147483648, -9223372036854775808, '-Infinity', 'NaN',
    -1234567890123456789012345678901234567890.5000, -999.99, 9999999999, -0.00001, 1, 1, null, 1,
    '$0.00');
INSERT INTO numbers(id, n) VALUES (6, 128), (7, -128), (8, -129), (9, 255), (10, 32768),
    (11, 1000000000000000000), (12, -9223372036854775808), (13, 0.10), (14, 12300);
INSERT INTO texts VALUES (2, 'abcde', '', 'käse 日本 😀', '', '', '', '', '\x',
    '00000000-0000-0000-0000-000000000000', 'null', '"s"', '', '', '', 'sad', '', '::1', '::/0',
    '08002b010203', '08002b0102030405');
INSERT INTO texts(id) VALUES (3);
INSERT INTO times VALUES (2, '0001-01-01', '00:00:00', '00:00:00', '00:00:00.001', '23:59:59.999999',
    '00:00:00+00', '23:00:00.123-08', '1500-01-01 00:00:00.000001', '1969-12-31 23:59:59',
    '1969-12-31 23:59:59.999', '0001-01-01 00:00:00', '1969-12-31 23:59:59.999999+00',
    '2020-06-01 00:00:00+00', '2020-06-01 00:00:00+00', '-1 year -2 mons +3 days -04:05:06.78');
INSERT INTO times(id, iv, ts, tstz) VALUES (3, '00:00:00', '2020-01-01 00:00:00', '2020-04-01 11:51:02+00'),
    (4, '1 mon', '9999-12-31 23:59:59', '9999-12-31 23:59:59+00'), (5, '-00:00:00.5', null, null),
    (6, '1 day', '20000-01-01', '21016-11-04 12:00:00+00');
INSERT INTO times(id, ts, ts3, tstz) VALUES (7, 'infinity', 'infinity', 'infinity'),
    (8, '-infinity', '-infinity', '-infinity');
INSERT INTO times(id, d) VALUES (9, 'infinity'), (10, '-infinity'), (11, '0044-03-15 BC');
INSERT INTO others VALUES (1, '1', '011', '1000000000', '101', '11', '(1.5,-2)', '[1,5)', '(2,)',
    '[1.5,2.5]', '["2019-03-31 15:30:00",infinity)', '["2019-03-31 15:30:00+00",)', '[2019-01-01,2019-02-01)',
    7, 123.456, 'abc', '(1,x)', '(1,1),(0,0)', '0/16B3748');
INSERT INTO others VALUES (2, '0', '000', '0001000000', '0', '', '(0,0)', 'empty', 'empty', 'empty',
    'empty', 'empty', 'empty', 1, 0, '', null, null, null);
INSERT INTO others(id) VALUES (3);
INSERT INTO arrays VALUES (1, '{1,NULL,-3}', '{1,2}', '{9223372036854775807}', '{a,NULL,"b \"q\" c","",NULL}',
    '{x,yz}', '{a,bcd}', '{1.10,2}', '{1.10,200}', '{1.5,NULL}', '{1e300,-0.5}', '{t,f,NULL}', '{2020-01-01,1960-01-01}',
    '{04:05:06.789}', '{2020-01-01 01:02:03.5}', '{2020-01-01 01:02:03.5+02}',
    '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}', '{"{\"a\": 1}"}', '{"{\"b\": 2}"}', '{"\\x0102"}', '{10.0.0.1}',
    '{sad,ok}', '{Ab}', '{1,4000000000}', '{"[1,2)"}');
INSERT INTO arrays(id) VALUES (2);
INSERT INTO arrays(id, ia, ta) VALUES (3, '{}', '{}'), (4, '[0:1]={5,6}', '{NULL,"NULL"}');
INSERT INTO required VALUES (1, 1, 2, 3, 4, 5, true, 't', '\x01', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{}',
    '2020-01-01', '01:02:03', '2020-01-01', '2020-01-01', '01:02:03+00', '1 day', '(1,2)', 'a=>b', '{1}', 'ok',
    '1010', '10.0.0.1', '$1.00');
DELETE FROM required;
INSERT INTO defaults(id, ts, nts, tz, u) VALUES (1, '2020-01-01', '2020-01-01', '2020-01-01',
    'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11');
INSERT INTO defaults VALUES (2, null, null, 0, null, null, null, null, '', null, true, null, null, '2020-01-01', null, null,
    null, null, null, null, null, null, null, null, null, null, null);
DELETE FROM defaults WHERE id = 2;
