-- pgvector's types.
CREATE EXTENSION vector;
CREATE DOMAIN d_vector AS vector(3);
CREATE TABLE vectors (
    id int PRIMARY KEY, v vector, v3 vector(3), vn vector NOT NULL, vl vector DEFAULT '[1,2]', h halfvec(2), hn halfvec NOT NULL,
    s sparsevec, s5 sparsevec(5), sn sparsevec, d d_vector, va vector[], ha halfvec[], sa sparsevec[], i int);
INSERT INTO vectors VALUES (1, '[1,2.5,-3]', '[1,2,3]', '[0]', DEFAULT, '[1.5,-2]', '[0.1]', '{1:1.5,3:2}/5', '{5:0.1}/5',
    '{}/3', '[7,8,9]', '{"[1]"}', '{"[1]"}', '{"{1:1}/2"}', 0);
-- stream
INSERT INTO vectors VALUES (2, '[1e-30,3.4e38,0.1]', '[-0,0.3333333,16777217]', '[1]', '[3]', '[65504,6.1e-5]', '[0.33333]',
    '{1:1e-10,32767:2}/32767', '{}/5', '{1:1}/1', '[7,8,9]', '{"[1]",NULL}', NULL, NULL, 0);
INSERT INTO vectors (id, vn, hn, sn) VALUES (3, '[1]', '[2]', '{1:1}/1');
INSERT INTO vectors (id, vn, hn, sn, v, i) SELECT 4, array_fill(0.1::float8, '{2000}')::vector, '[2]', '{1:1}/1', NULL, 0;
ALTER TABLE vectors ALTER vn SET STORAGE EXTERNAL;
UPDATE vectors SET v3 = '[3,2,1]', s = '{2:2}/2' WHERE id = 2;
DELETE FROM vectors WHERE id = 3;
ALTER TABLE vectors REPLICA IDENTITY FULL;
UPDATE vectors SET h = NULL WHERE id = 2;
DELETE FROM vectors WHERE id = 2;
