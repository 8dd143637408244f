-- The base tables of our own recorded statements and of `make interop-spark-fuzz`.
-- Spark keeps them as views; the harness makes Delta tables of their rows.
CREATE VIEW lab.cells AS SELECT
  CAST(id AS INT) AS id, CAST(flag AS BOOLEAN) AS flag, CAST(b AS TINYINT) AS b, CAST(s AS SMALLINT) AS s, CAST(i AS INT) AS i, CAST(j AS INT) AS j,
  CAST(l AS BIGINT) AS l, CAST(f AS FLOAT) AS f, CAST(d AS DOUBLE) AS d, CAST(m AS DECIMAL(10,2)) AS m, CAST(w AS DECIMAL(38,10)) AS w,
  str, num, js, CAST(bin AS BINARY) AS bin, CAST(dt AS DATE) AS dt, CAST(ts AS TIMESTAMP) AS ts, CAST(ntz AS TIMESTAMP_NTZ) AS ntz,
  CAST(ai AS ARRAY<INT>) AS ai, CAST(ax AS ARRAY<STRING>) AS ax, CAST(ad AS ARRAY<DOUBLE>) AS ad, CAST(mi AS MAP<STRING, INT>) AS mi,
  CAST(st AS STRUCT<a: INT, b: STRING>) AS st
FROM VALUES
  (1, true, 1, 10, 3, 2, 7L, 1.5F, 2.5D, 12.34, 0.5, 'abc', '12', '{"a":1,"b":"x"}', X'6162', '2024-02-29', '2024-02-29 13:14:15.123456', '2024-03-10 02:30:00', array(3, 1, 2), array('a', 'b', 'a'), array(1.5D, 0.25D), map('a', 1, 'b', 2), named_struct('a', 1, 'b', 'x')),
  (2, false, -3, -20, -7, 5, -9L, -0.25F, -3.75D, -0.99, -12.0000000001, 'Hello World', '-3.50', '{"a":null,"c":[1,2]}', X'', '1999-12-31', '1999-12-31 23:59:59', '1970-01-01 00:00:00', array(), array(), array(), map(), named_struct('a', CAST(NULL AS INT), 'b', '')),
  (3, true, 0, 0, 0, 1, 0L, 0F, 0D, 0.00, 0, '', '0', '[1,2,3]', X'00ff10', '1970-01-01', '1970-01-01 00:00:00', '2038-01-19 03:14:07.5', array(1, NULL, 1), array(NULL, 'z'), array(0D, NULL), map('k', NULL), named_struct('a', 0, 'b', NULL)),
  (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (5, false, 100, 1000, 42, -1, 1234567890123L, 3.1415927F, 1e10D, 99999.99, 123456789.5, ' a,b;C ', '007', 'null', X'c3a9', '2021-07-04', '2021-07-04 06:00:00.5', '0999-05-06 07:08:09', array(5), array('été', 'x,y'), array(2D), map('x', -1, 'y', 0), named_struct('a', 42, 'b', 'été')),
  (6, true, 127, -32768, 2147483647, 3, -9223372036854775808L, float('NaN'), double('Infinity'), -99999999.99, 9999999999999999999999999999.9999999999, 'Ünï😀', ' 5 ', '{"a":', X'ffffffff', '0001-01-01', '0001-01-01 00:00:00', '9999-12-31 23:59:59.999999', array(-2147483648, 2147483647), array('', ' '), array(double('NaN'), -0.0D), map('a', 2147483647), named_struct('a', -1, 'b', 'abc')),
  (7, false, 7, 70, 12, 12, 31L, 0.1F, -0.0D, 7.50, 2.25, '2024-05-06', '1e3', '"text"', X'7b7d', '2023-01-15', '2023-10-29 00:30:00', '2023-03-26 02:30:00', array(4, 4, -4, 0), array('b', 'B'), array(-1.5D, 3D), map('', 5, 'é', 6), named_struct('a', 12, 'b', 'b'))
  AS t(id, flag, b, s, i, j, l, f, d, m, w, str, num, js, bin, dt, ts, ntz, ai, ax, ad, mi, st);
CREATE VIEW lab.sales AS SELECT
  CAST(id AS INT) AS id, CAST(shop AS INT) AS shop, item, CAST(qty AS INT) AS qty, CAST(price AS DECIMAL(8,2)) AS price, CAST(day AS DATE) AS day, CAST(at AS TIMESTAMP) AS at, CAST(rate AS DOUBLE) AS rate, CAST(tags AS ARRAY<STRING>) AS tags
FROM VALUES
  (1, 1, 'nut', 10, 0.50, '2024-01-01', '2024-01-01 08:00:00', 0.1D, array('x', 'y')),
  (2, 1, 'bolt', 5, 1.25, '2024-01-01', '2024-01-01 09:30:00', 0.25D, array('y')),
  (3, 2, 'nut', NULL, 0.55, '2024-01-02', '2024-01-02 00:00:00', NULL, array()),
  (4, 2, 'gear', 1, 99.99, '2024-01-03', '2024-01-03 23:59:59.5', -0.5D, NULL),
  (5, 3, 'bolt', 5, 1.25, '2024-02-01', '2024-02-01 12:00:00', 0.25D, array('z', NULL, 'x')),
  (6, NULL, 'nut', 7, 0.50, '2024-02-01', NULL, 0D, array('x')),
  (7, 9, NULL, 3, NULL, NULL, '2024-02-29 18:45:00', 1.5D, array('x', 'x')),
  (8, 1, 'gear', 2, 89.90, '2024-01-01', '2024-01-01 08:00:00', 0.75D, array('w')),
  (9, 3, 'cam', 0, 12.00, '2024-01-15', '2024-01-15 10:10:10', 2D, array('y', 'z')),
  (10, 2, 'bolt', -4, 1.20, '2023-12-31', '2023-12-31 23:00:00', NULL, array('v'))
  AS t(id, shop, item, qty, price, day, at, rate, tags);
CREATE VIEW lab.shops AS SELECT
  CAST(shop AS INT) AS shop, name, region, CAST(opened AS DATE) AS opened, CAST(boss AS INT) AS boss, CAST(area AS DOUBLE) AS area
FROM VALUES
  (1, 'Norte', 'n', '2010-05-01', NULL, 120.5D),
  (2, 'Sur', 's', '2015-01-31', 1, 80D),
  (3, 'Este', NULL, '2020-02-29', 1, NULL),
  (4, 'Oeste', 'n', NULL, 2, 60.25D),
  (NULL, 'Nada', 's', '2000-01-01', 4, 0D)
  AS t(shop, name, region, opened, boss, area);
CREATE VIEW lab.items AS SELECT item, kind, CAST(cost AS DECIMAL(6,3)) AS cost, CAST(weight AS BIGINT) AS weight
FROM VALUES
  ('nut', 'small', 0.101, 3L), ('bolt', 'small', 0.750, 12L), ('gear', 'large', 55.555, 2100L), ('cam', NULL, NULL, NULL), (NULL, 'none', 1.000, 0L)
  AS t(item, kind, cost, weight);
-- Small tables whose keys meet, miss, repeat and are NULL.
CREATE VIEW lab.pa AS SELECT CAST(k AS INT) AS k, a, CAST(n AS INT) AS n
FROM VALUES (1, 'a1', 10), (2, 'a2', 20), (2, 'a2b', NULL), (3, 'a3', 30), (NULL, 'aN', 40), (NULL, NULL, 50), (5, 'a5', -5), (7, 'a7', 0) AS t(k, a, n);
CREATE VIEW lab.pb AS SELECT CAST(k AS INT) AS k, b, CAST(n AS INT) AS n
FROM VALUES (2, 'b2', 20), (2, 'b2x', 21), (3, 'b3', 3), (4, 'b4', 40), (NULL, 'bN', NULL), (5, 'b5', -5), (8, NULL, 0), (1, 'B1', 10) AS t(k, b, n);
CREATE VIEW lab.pc AS SELECT CAST(k AS BIGINT) AS k, c, CAST(w AS DECIMAL(9,2)) AS w
FROM VALUES (1, 'c1', 1.50), (3, 'c3', 3.00), (4, 'c4', NULL), (NULL, 'cN', 9.99), (7, 'c7', -7.25), (3, 'c3b', 0.00) AS t(k, c, w);
