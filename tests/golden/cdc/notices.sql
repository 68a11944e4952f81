-- Snapshots of all kinds, and what is notified of them.
CREATE SCHEMA IF NOT EXISTS s1;
CREATE TABLE s1.signals (id varchar(42) PRIMARY KEY, type varchar(32) NOT NULL, data varchar(2048));
CREATE TABLE s1.a (pk int PRIMARY KEY, aa text);
CREATE TABLE s1.pair (x int, y text, v numeric(5,2), PRIMARY KEY (x, y));
CREATE TABLE s1.keyless (n int, v text);
CREATE TABLE s1.empty (pk int PRIMARY KEY);
INSERT INTO s1.a SELECT i, 'row ' || i FROM generate_series(1, 5) i;
INSERT INTO s1.pair VALUES (1, 'a', 1.5), (1, 'b''c', 2), (2, 'z', NULL);
INSERT INTO s1.keyless VALUES (1, 'a');
-- stream
INSERT INTO s1.signals VALUES ('one', 'execute-snapshot', '{"data-collections": ["s1.a"], "type": "incremental"}');
-- settle
INSERT INTO s1.signals VALUES ('several', 'execute-snapshot', '{"data-collections": ["s1\\.(empty|pair|keyless)", "s1.none"]}');
-- settle
INSERT INTO s1.signals VALUES ('nothing runs', 'pause-snapshot', '{}');
INSERT INTO s1.signals VALUES ('nothing runs 2', 'stop-snapshot', '{"type": "INCREMENTAL"}');
INSERT INTO s1.signals VALUES ('what', 'execute-snapshot', '{"data-collections": ["s1.a"], "type": "other"}');
INSERT INTO s1.signals VALUES ('whose', 'execute-snapshot', '{}');
INSERT INTO s1.signals VALUES ('condition', 'execute-snapshot', '{"data-collections": ["s1.a"], "additional-conditions": [{"data-collection": "s1.a", "filter": "pk > 99"}]}');
-- settle
INSERT INTO s1.a VALUES (6, 'six');
-- wait
INSERT INTO s1.signals VALUES ('blocks', 'execute-snapshot', '{"data-collections": ["s1.a", "s1.pair"], "type": "BLOCKING", "additional-conditions": [{"data-collection": "s1.a", "filter": "SELECT * FROM s1.a WHERE pk < 3 ORDER BY pk"}]}');
-- settle
INSERT INTO s1.a VALUES (7, 'seven');
-- wait
INSERT INTO s1.signals VALUES ('blocks 2', 'execute-snapshot', '{"data-collections": ["s1.empty", "s1.(keyless)"], "type": "blocking"}');
-- settle
UPDATE s1.a SET aa = 'end' WHERE pk = 7;
