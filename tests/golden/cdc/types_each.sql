-- One table for each type, made from the list kinds(): a nullable column, a required one, both
-- again with a literal default and with one that a function gives, an array, a domain, a domain
-- over it and an array of the domain. The second value stands for an update; all of them are
-- inserted, alone and in an array. Deletes with the replica identity DEFAULT show what stands for the required columns'
-- values, updates and deletes with FULL the row as it was.
CREATE EXTENSION hstore; CREATE EXTENSION citext; CREATE EXTENSION ltree; CREATE EXTENSION isn;
CREATE EXTENSION cube; CREATE EXTENSION seg;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'very happy');
CREATE TYPE pair AS (a int, b text);
CREATE FUNCTION kinds() RETURNS TABLE (name text, type text, vals text[]) LANGUAGE sql AS $$ VALUES
('int2', 'smallint', '{1,-32768,32767,0,-1}'::text[]),
('int4', 'integer', '{1,-2147483648,2147483647,0}'),
('int8', 'bigint', '{1,-9223372036854775808,9223372036854775807,0}'),
('bool', 'boolean', '{true,false}'),
('oid', 'oid', '{1,4294967295,2147483648,0}'),
('float4', 'real', '{1.5,NaN,Infinity,-Infinity,-0.0,1e-45,3.4028235e38,16777217,0}'),
('float8', 'double precision', '{0.1,NaN,Infinity,-Infinity,-0.0,4.9e-324,1.7976931348623157e308,1e22,123456789012345680,0}'),
('num', 'numeric', '{10.50,-0.001,100,0,0.00,1e30,-1e-20,NaN,Infinity,-Infinity,-170141183460469231731687303715884105728}'),
('num5_2', 'numeric(5,2)', '{1.10,-999.99,999.99,0,-0.01,NaN}'),
('num38_10', 'numeric(38,10)', '{1,-9999999999999999999999999999.9999999999,0.0000000001,0}'),
('num10', 'numeric(10)', '{1,-9999999999,127,128,-128,-129,255,32768}'),
('num2_5', 'numeric(2,5)', '{0.00099,-0.00001,0}'),
('money', 'money', '{$1.10,-92233720368547758.08,92233720368547758.07,0,-0.01,$1234.56}'),
('bit1', 'bit(1)', '{1,0}'),
('bit8', 'bit(8)', '{00000001,10000000,00000000,11111111}'),
('bit12', 'bit(12)', '{000000000001,100000000000,000000000000,111111111111}'),
('varbit', 'varbit', '{101,"",0,1,00000000100000000}'),
('varbit12', 'varbit(12)', '{101,"",0,111111111111}'),
('text', 'text', '{"käse 日本 😀","","a ''q'' \"d\" \\ ,{}","line
break	tab",NULL," "}'),
('varchar', 'varchar', '{abc,""," x "}'),
('varchar5', 'varchar(5)', '{abc,"","käse😀"}'),
('char5', 'char(5)', '{abc,"","ä"}'),
('char1', 'char', '{a,""}'),
('bpchar', 'bpchar', '{abc,"","a  "}'),
('ch', '"char"', '{a,"",\\377}'),
('citext', 'citext', '{aBc,""}'),
('bytea', 'bytea', '{\\x01ff,\\x,\\x00,\\xfbefbe3f}'),
('uuid', 'uuid', '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11,00000000-0000-0000-0000-000000000000}'),
('json', 'json', '{"{\"a\":  1}","null","[]","\"\"","{\"a\": 1, \"a\": 2}"}'),
('jsonb', 'jsonb', '{"{\"a\":  1}","null","1e400","\"\\u00e4\""}'),
('xml', 'xml', '{<a>b</a>,"",text &amp; more}'),
('enum', 'mood', '{ok,very happy}'),
('ltree', 'ltree', '{a.b.c,""}'),
('lquery', 'lquery', '{*.b.*,a|b}'),
('tsvector', 'tsvector', '{"a:1 fat:2,4A cat",""}'),
('tsquery', 'tsquery', '{fat & cat,""}'),
('isbn', 'isbn', '{978-0-393-04002-9,0-11-000533-3}'), ('isbn13', 'isbn13', '{978-0-393-04002-9}'),
('issn', 'issn', '{1436-4522}'), ('issn13', 'issn13', '{977-1436-452-00-8}'), ('ismn', 'ismn', '{M-060-11561-5}'),
('ismn13', 'ismn13', '{979-0-060-11561-5}'), ('ean13', 'ean13', '{978-0-393-04002-9}'), ('upc', 'upc', '{036000291452}'),
('hstore', 'hstore', '{"k=>v","","a=>NULL","\"q\\\"\\\\\"=>\"1,2 => {}\""}'),
('date', 'date', '{2017-09-15,1970-01-01,0001-01-01,4713-01-01 BC,0001-12-31 BC,1582-10-10,9999-12-31,10000-01-01,5874897-12-31,infinity,-infinity}'),
('time', 'time', '{04:05:11.789123,00:00:00,24:00:00,23:59:59.999999}'),
('time0', 'time(0)', '{04:05:11,24:00:00}'), ('time3', 'time(3)', '{04:05:11.789,24:00:00,00:00:00}'),
('time6', 'time(6)', '{04:05:11.5,24:00:00}'),
('timetz', 'timetz', '{13:51:30.123789+02,00:00:00+00,24:00:00+00,00:00:00+15:59,23:59:59.999999-15:59}'),
('timetz3', 'timetz(3)', '{13:51:30.12+02,00:00:00+00}'),
('ts', 'timestamp', '{2016-11-04 13:51:30.123456,1970-01-01 00:00:00,4713-01-01 00:00:00 BC,0001-12-31 23:59:59.9 BC,0001-01-01 00:00:00,1677-09-22 00:00:00,2262-04-11 00:00:00,9999-12-31 23:59:59.999999,10000-01-01 00:00:00,294246-12-31 23:59:59,infinity,-infinity}'),
('ts0', 'timestamp(0)', '{2016-11-04 13:51:30,infinity,-infinity}'),
('ts3', 'timestamp(3)', '{2016-11-04 13:51:30.123,1969-12-31 23:59:59.999,infinity,-infinity}'),
('ts6', 'timestamp(6)', '{2016-11-04 13:51:30.5,infinity}'),
('tz', 'timestamptz', '{2016-11-04 13:51:30.123456+02,1970-01-01 00:00:00+00,4713-01-01 00:00:00+00 BC,0001-12-31 23:59:59.9+00 BC,9999-12-31 23:59:59.999999+00,10000-01-01 00:00:00+00,294276-12-31 23:59:59+00,infinity,-infinity}'),
('tz0', 'timestamptz(0)', '{2016-11-04 13:51:30+02,infinity}'),
('tz3', 'timestamptz(3)', '{2016-11-04 13:51:30.12+02,-infinity}'),
('iv', 'interval', '{1 year 2 mons 3 days 04:05:06.78,0,-1 year -2 mons +3 days -04:05:06.78,-00:00:00.5,290000 years,-290000 years,178000000 years,-178000000 years,2147483647 days,100000:00:00}'),
('iv0', 'interval(0)', '{1 day 04:05:06,0}'), ('ivym', 'interval year to month', '{1 year 2 mons,0}'),
('inet', 'inet', '{192.168.2.0/12,::1,10.0.0.1}'), ('cidr', 'cidr', '{192.168.0.0/16,::/0}'),
('macaddr', 'macaddr', '{08:00:2b:01:02:03,00:00:00:00:00:00}'), ('macaddr8', 'macaddr8', '{08:00:2b:01:02:03:04:05}'),
('int4range', 'int4range', '{"[1,5)",empty,"(,)"}'), ('int8range', 'int8range', '{"[1,5)",empty}'),
('numrange', 'numrange', '{"[1.5,2.5]","(,2)"}'), ('daterange', 'daterange', '{"[2019-01-01,2019-02-01)","[2019-01-01,infinity)"}'),
('tsrange', 'tsrange', '{"[2019-03-31 15:30:00,infinity)",empty}'),
('tstzrange', 'tstzrange', '{"[2019-03-31 15:30:00+02,)",empty}'),
('int4mr', 'int4multirange', '{"{[1,5),[7,9)}","{}"}'), ('nummr', 'nummultirange', '{"{[1.5,2.5]}"}'),
('datemr', 'datemultirange', '{"{[2019-01-01,2019-02-01)}"}'), ('tsmr', 'tsmultirange', '{"{}"}'),
('tstzmr', 'tstzmultirange', '{"{}"}'), ('int8mr', 'int8multirange', '{"{}"}'),
('point', 'point', '{"(1.5,-2)","(0,0)","(NaN,Infinity)","(1e300,-0)"}'), ('box', 'box', '{"(3,4),(1,2)"}'),
('lseg', 'lseg', '{"[(1,2),(3,4)]"}'), ('path', 'path', '{"((1,2),(3,4))","[(1,2),(3,4)]"}'),
('polygon', 'polygon', '{"((1,2),(3,4))"}'), ('circle', 'circle', '{"<(1,2),3>"}'), ('line', 'line', '{"{1,2,3}"}'),
('pair', 'pair', '{"(1,x)","(,)"}'), ('lsn', 'pg_lsn', '{0/16B3748,0/0}'), ('xid', 'xid', '{1,4294967295}'),
('xid8', 'xid8', '{1,18446744073709551615}'), ('tid', 'tid', '{"(1,2)"}'),
('regclass', 'regclass', '{pg_class}'),
('jsonpath', 'jsonpath', '{$.\"a\"}'), ('snapshot', 'pg_snapshot', '{10:20:15}'), ('cube', 'cube', '{"(1, 2),(3, 4)"}'), ('seg', 'seg', '{1 .. 2}')
$$;
CREATE FUNCTION each(what text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE k record; v text; i int;
BEGIN
    FOR k IN SELECT * FROM kinds() LOOP
        EXECUTE replace(replace(replace(replace(replace(replace(what, 'LITERAL', quote_literal(k.vals[1])), 'DOMAINOF', CASE k.name WHEN 'enum' THEN 'text' ELSE k.type END), -- Debezium fails
            'TYPE', k.type), 'FIRST', quote_literal(k.vals[1]) || '::' || k.type),
            'SECOND', quote_literal(k.vals[least(2, cardinality(k.vals))]) || '::' || k.type), 'NAME', k.name);
    END LOOP;
END $$;
CREATE FUNCTION every_value() RETURNS void LANGUAGE plpgsql AS $$
DECLARE k record;
BEGIN
    FOR k IN SELECT * FROM kinds() LOOP
        FOR i IN 1..cardinality(k.vals) LOOP
            EXECUTE format('INSERT INTO t_%s (id, v, n, a) VALUES (%s, $1::%s, $2::%3$s, ARRAY[$1::%3$s, NULL])',
                k.name, 100 + i, k.type) USING k.vals[i], k.vals[1];
        END LOOP;
    END LOOP;
END $$;
SELECT each('CREATE DOMAIN d_NAME AS DOMAINOF; CREATE DOMAIN dd_NAME AS d_NAME;
    CREATE FUNCTION f_NAME() RETURNS TYPE LANGUAGE sql IMMUTABLE AS $f$ SELECT FIRST $f$');
SELECT each('CREATE TABLE t_NAME (id int PRIMARY KEY, v TYPE, n TYPE NOT NULL, l TYPE DEFAULT LITERAL, nl TYPE NOT NULL
    DEFAULT LITERAL, f TYPE DEFAULT f_NAME(), nf TYPE NOT NULL DEFAULT f_NAME(), a TYPE[], d d_NAME, dd dd_NAME, da d_NAME[])');
SELECT each('INSERT INTO t_NAME VALUES (1, FIRST, FIRST, FIRST, FIRST, FIRST, FIRST, ARRAY[FIRST], FIRST, FIRST, ARRAY[FIRST::d_NAME])');
-- stream
SELECT each('INSERT INTO t_NAME VALUES (2, FIRST, FIRST, FIRST, FIRST, FIRST, FIRST, ARRAY[FIRST], FIRST, FIRST, ARRAY[FIRST::d_NAME])');
SELECT each('INSERT INTO t_NAME (id, n, a) VALUES (3, FIRST, $a${}$a$)');
SELECT every_value();
SELECT each('UPDATE t_NAME SET v = SECOND, f = NULL, a = NULL WHERE id = 2');
SELECT each('DELETE FROM t_NAME WHERE id = 2');
SELECT each('ALTER TABLE t_NAME REPLICA IDENTITY FULL');
SELECT each('UPDATE t_NAME SET v = SECOND WHERE id = 3');
SELECT each('DELETE FROM t_NAME WHERE id = 3');
