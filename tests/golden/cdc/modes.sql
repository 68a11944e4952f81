-- marker zz.marker
-- Snapshot modes over a restart.
CREATE SCHEMA s1; CREATE TABLE s1.a(pk SERIAL PRIMARY KEY, aa integer);
CREATE SCHEMA s2; CREATE TABLE s2.a(pk SERIAL PRIMARY KEY, aa integer, bb varchar(20));
INSERT INTO s1.a(aa) VALUES(1);
INSERT INTO s2.a(aa) VALUES(1);
-- stream
INSERT INTO s1.a(aa) VALUES(2);
INSERT INTO s2.a(aa) VALUES(2);
-- restart
INSERT INTO s1.a(aa) VALUES(3);
INSERT INTO s2.a(aa) VALUES(3);
UPDATE s1.a SET aa = 10 WHERE pk = 1;
-- wait
DELETE FROM s2.a WHERE pk = 1;
-- restart
ALTER TABLE s1.a ADD COLUMN cc text;
INSERT INTO s1.a(aa, cc) VALUES(4, 'c');
DELETE FROM s2.a;
-- wait
INSERT INTO s1.a(aa) VALUES(5);
