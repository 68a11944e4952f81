-- marker zz.marker
-- Topics by naming strategy, and what a key tells of its table: several tables that share a topic.
CREATE SCHEMA s1;
CREATE SCHEMA s2;
CREATE TABLE s1.orders_a (id int PRIMARY KEY, v text);
CREATE TABLE s1.orders_b (id int PRIMARY KEY, v text);
CREATE TABLE s2."orders_Öl x" (id int, v text);
CREATE TABLE s2."ta😀ble" (id int PRIMARY KEY, v text);
CREATE TABLE s1.empty_name (id int PRIMARY KEY);
INSERT INTO s1.orders_a VALUES (1, 'a');
INSERT INTO s1.orders_b VALUES (1, 'b');
INSERT INTO s2."orders_Öl x" VALUES (1, 'c');
INSERT INTO s2."ta😀ble" VALUES (1, 'd');
INSERT INTO s1.empty_name VALUES (1);
-- stream
INSERT INTO s1.orders_a VALUES (2, 'a');
UPDATE s1.orders_b SET v = 'bb';
UPDATE s1.orders_a SET id = 3 WHERE id = 2;
DELETE FROM s1.orders_b;
INSERT INTO s2."orders_Öl x" VALUES (2, 'c');
UPDATE s2."ta😀ble" SET v = 'dd';
INSERT INTO s1.empty_name VALUES (2);
TRUNCATE s1.orders_a;
SELECT pg_logical_emit_message(true, 'prefix', 'text');
