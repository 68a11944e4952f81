-- PostGIS: geometry and geography with several SRIDs and dimensions, empty ones, arrays, out of line.
CREATE EXTENSION postgis;
CREATE DOMAIN d_geometry AS geometry(Point, 4326);
CREATE TABLE geo (
    id int PRIMARY KEY, g geometry, p geometry(Point, 4326), z geometry(PointZ, 3187), n geometry NOT NULL, l geometry DEFAULT
    'POINT(1 2)', gg geography, gp geography(Point, 4326), gn geography NOT NULL, d d_geometry, ga geometry[], gga geography[],
    b box2d, b3 box3d, i int);
INSERT INTO geo VALUES (1, 'POINT(1 2)', 'SRID=4326;POINT(-71.06 42.28)', 'SRID=3187;POINT Z (1 2 3)', 'POINT EMPTY', DEFAULT,
    'POINT(1 2)', 'SRID=4326;POINT(-71.06 42.28)', 'LINESTRING(0 0,1 1)', 'SRID=4326;POINT(0 0)',
    ARRAY['POINT(1 2)'::geometry, NULL], ARRAY['POINT(1 2)'::geography], 'BOX(1 2,3 4)', 'BOX3D(1 2 3,4 5 6)', 0);
-- stream
INSERT INTO geo (id, g, n, gg, gn, ga, gga) VALUES
    (2, 'SRID=3187;POINT(174.9479 -36.7208)', 'POINT M (1 2 3)', 'SRID=4267;POINT(1 2)', 'POINT EMPTY', '{}', '{}'),
    (3, 'POINT ZM (1 2 3 4)', 'GEOMETRYCOLLECTION EMPTY', 'POINT Z (1 2 3)', 'POLYGON((0 0,1 0,1 1,0 0))',
        ARRAY['SRID=4326;POINT(1 2)'::geometry, 'LINESTRING(0 0,1 1)'], ARRAY['SRID=4267;POINT(1 2)'::geography, NULL]),
    (4, 'GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(0 0,1 1))', 'MULTIPOINT(1 2,3 4)', NULL, 'MULTIPOLYGON EMPTY', NULL, NULL),
    (5, 'CIRCULARSTRING(0 0,1 1,2 0)', 'TIN(((0 0 0,0 0 1,0 1 0,0 0 0)))', NULL, 'POINT(1 2)', NULL, NULL),
    (6, 'POINT(1e300 1e-320)', 'POINT(-0 1)', NULL, 'POINT(1 2)', NULL, NULL);
UPDATE geo SET p = 'SRID=4326;POINT(5 6)' WHERE id = 1;
DELETE FROM geo WHERE id = 2;
ALTER TABLE geo REPLICA IDENTITY FULL;
UPDATE geo SET g = NULL WHERE id = 3;
DELETE FROM geo WHERE id = 3;
CREATE TABLE big_geo (id int PRIMARY KEY, i int, g geometry, gg geography, ga geometry[], gn geometry NOT NULL);
ALTER TABLE big_geo ALTER g SET STORAGE EXTERNAL, ALTER gg SET STORAGE EXTERNAL, ALTER ga SET STORAGE EXTERNAL,
    ALTER gn SET STORAGE EXTERNAL, SET (toast_tuple_target = 128);
CREATE FUNCTION line() RETURNS text LANGUAGE sql AS $$ SELECT 'LINESTRING(' || string_agg(n || ' 1', ',') || ')' FROM generate_series(1, 80) n $$;
INSERT INTO big_geo VALUES (1, 0, line()::geometry, line()::geography, ARRAY[line()::geometry], line()::geometry);
UPDATE big_geo SET i = 1;
ALTER TABLE big_geo REPLICA IDENTITY FULL;
UPDATE big_geo SET i = 2;
