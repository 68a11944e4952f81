-- Incremental snapshots asked for in the signal table.
CREATE SCHEMA IF NOT EXISTS s1;
CREATE TABLE s1.signals (id varchar(42) PRIMARY KEY, type varchar(32) NOT NULL, data varchar(2048));
CREATE TABLE s1.a (pk int PRIMARY KEY, aa text);
CREATE TABLE s1.pair (x int, y text, v numeric(5,2), PRIMARY KEY (x, y));
CREATE TABLE s1.keyless (n int, v text);
CREATE TABLE s1.side (id int PRIMARY KEY, n int, v text);
CREATE TABLE s1.empty (pk int PRIMARY KEY);
INSERT INTO s1.a SELECT i, E'row\t' || i FROM generate_series(1, 5) i;
INSERT INTO s1.pair VALUES (1, 'a', 1.5), (1, 'b''c', 2), (2, E'\\', NULL), (2, 'z', 3), (3, '', 4);
INSERT INTO s1.keyless VALUES (3, 'c'), (1, 'a'), (2, NULL);
INSERT INTO s1.side VALUES (1, 30, 'c'), (2, 10, 'a'), (3, 20, NULL), (4, NULL, 'null'), (5, 5, 'e');
-- stream
INSERT INTO s1.signals VALUES ('ad-hoc-1', 'execute-snapshot', '{"data-collections": ["s1.a"], "type": "incremental"}');
-- settle
INSERT INTO s1.signals VALUES ('ad-hoc-2', 'execute-snapshot', '{"data-collections": ["s1\\.(empty|pair|keyless)", "s1.a"], "type": "INCREMENTAL", "additional-conditions": [{"data-collection": "s1.a", "filter": "pk > 3"}]}');
-- settle
BEGIN;
INSERT INTO s1.signals VALUES ('ad-hoc-3', 'execute-snapshot', '{"data-collections": ["s1.side"], "surrogate-key": "id"}');
INSERT INTO s1.signals VALUES ('note', 'log', '{"message": "hello at {}"}');
INSERT INTO s1.signals VALUES ('nonsense', 'no-such-signal', NULL);
COMMIT;
-- settle
INSERT INTO s1.a VALUES (6, 'six');
