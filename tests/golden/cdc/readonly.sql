-- Incremental snapshots without writes, asked for in a file.
CREATE SCHEMA IF NOT EXISTS s1;
CREATE TABLE s1.a (pk int PRIMARY KEY, aa text);
CREATE TABLE s1.pair (x int, y text, v numeric(5,2), PRIMARY KEY (x, y));
CREATE TABLE s1.side (id int PRIMARY KEY, n int NOT NULL, v text);
INSERT INTO s1.a SELECT i, 'row ' || i FROM generate_series(1, 5) i;
INSERT INTO s1.pair VALUES (1, 'a', 1.5), (1, 'b''c', 2), (2, 'z', NULL);
INSERT INTO s1.side VALUES (1, 30, 'c'), (2, 10, 'a'), (3, 20, NULL), (5, 5, 'e');
-- stream
INSERT INTO s1.a VALUES (6, 'six');
-- wait
-- signal {"id": "one", "type": "execute-snapshot", "data": {"data-collections": ["s1.a", "s1.pair"], "type": "INCREMENTAL", "additional-conditions": [{"data-collection": "s1.a", "filter": "pk <> 2"}]}}
-- settle
-- signal {"id": "two", "type": "execute-snapshot", "data": {"data-collections": ["s1.side"], "surrogate-key": "n"}}
-- settle
UPDATE s1.a SET aa = 'end' WHERE pk = 6;
