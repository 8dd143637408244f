SELECT 1;

SELECT a, b AS c, t.*, * EXCEPT (d, e)
FROM t
WHERE a = 1 AND (b <> 2 OR c != 3) AND NOT d
GROUP BY a, b
HAVING count(*) > 1
ORDER BY a DESC NULLS LAST, b
LIMIT 10
OFFSET 5;

SELECT ALL a
FROM t;

SELECT DISTINCT a AS b
FROM t AS x(p, q);

SELECT
  'it''s' 'two',
  r'\d+',
  "dq",
  X'1F',
  1.5e3d,
  10L,
  -1,
  - -1,
  +a,
  ~b,
  DATE '2024-01-01',
  TIMESTAMP '2024-01-01 00:00:00',
  INTERVAL 1 DAY 2 HOURS,
  INTERVAL '1-2' YEAR TO MONTH,
  INTERVAL -3 MINUTES,
  INTERVAL '5 days',
  NULL,
  true;

SELECT
  a + b * c - d / e % f DIV g,
  a || b || 'x',
  a << 1,
  a >> 2,
  a >>> 3,
  a & b | c ^ d,
  (a + b) * c,
  ((a)),
  a.b.c,
  (a).b,
  f(x).y,
  m['k'],
  arr[0],
  v:a.b[0]['c'],
  x::INT,
  CAST(a AS DECIMAL(10, 2)),
  TRY_CAST(b AS STRUCT<x: INT, y: ARRAY<STRING> NOT NULL COMMENT 'c'>),
  CAST(c AS INTERVAL DAY TO SECOND),
  CAST(d AS MAP<STRING, TIMESTAMP_NTZ>);

SELECT
  a IS NULL,
  b IS NOT TRUE,
  c IS DISTINCT FROM d,
  e IS NOT DISTINCT FROM f,
  a BETWEEN 1 AND 2,
  b NOT BETWEEN 3 AND 4,
  a IN (1, 2, 3),
  b NOT IN (SELECT x FROM y),
  c LIKE 'a%' ESCAPE '\\',
  d ILIKE ANY ('a', 'b'),
  e RLIKE 'x',
  f NOT LIKE ALL ('p'),
  EXISTS (SELECT 1 FROM z);

SELECT
  CASE WHEN a THEN 1 WHEN b THEN 2 ELSE 3 END,
  CASE a WHEN 1 THEN 'one' END,
  if(a, b, c),
  coalesce(a, b),
  count(DISTINCT a) FILTER (WHERE b > 1),
  first(x IGNORE NULLS),
  first(x) IGNORE NULLS,
  percentile_cont(0.5) WITHIN GROUP (ORDER BY a DESC),
  transform(xs, x -> x + 1),
  aggregate(xs, 0, (acc, x) -> acc + x, acc -> acc * 2),
  named_struct('a', 1);

SELECT
  extract(year FROM ts),
  substring(s FROM 2 FOR 3),
  substr(s FROM 2),
  trim(BOTH 'x' FROM s),
  trim(LEADING FROM s),
  trim('x' FROM s),
  position('a' IN s),
  overlay(s PLACING 'x' FROM 2 FOR 1),
  timestampadd(day, 1, ts),
  datediff(hour, a, b),
  current_date,
  current_timestamp(),
  struct(1 AS a, b),
  (1, 2),
  (a, b) IN ((1, 2), (3, 4)),
  ?,
  :name,
  identifier('a' || 'b'),
  identifier(:f)(1, 2),
  s COLLATE utf8_binary;

SELECT
  row_number() OVER (PARTITION BY a ORDER BY b DESC),
  sum(x) OVER w,
  avg(x) OVER (ORDER BY a ROWS BETWEEN 1 PRECEDING AND CURRENT ROW),
  max(x) OVER (w),
  min(x) OVER (PARTITION BY a, b ORDER BY c, d RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING),
  lag(x, 1) IGNORE NULLS OVER (ORDER BY t)
FROM t
WINDOW w AS (PARTITION BY a ORDER BY b);

WITH a AS (
  SELECT 1 AS x
),
recursive_one(n) AS (
  SELECT 2
)
SELECT *
FROM a, recursive_one;

WITH RECURSIVE r(n) MAX RECURSION LEVEL 50 AS (
  SELECT 1
  UNION ALL
  SELECT n + 1
  FROM r
  WHERE n < 10
)
SELECT *
FROM r;

SELECT *
FROM a
INNER JOIN b ON a.id = b.id AND a.x > b.y
LEFT OUTER JOIN c USING (id, k)
CROSS JOIN d
RIGHT JOIN e ON e.id = a.id
FULL OUTER JOIN f ON true
LEFT SEMI JOIN g ON g.id = a.id
LEFT ANTI JOIN h ON h.id = a.id
NATURAL JOIN i;

SELECT *
FROM
  (SELECT a FROM t) s,
  LATERAL (SELECT 1) l,
  VALUES (1, 2), (3, 4) AS v(a, b),
  range(10) r,
  (a JOIN b ON a.x = b.x),
  t TABLESAMPLE (10 PERCENT) REPEATABLE (5) u,
  t TIMESTAMP AS OF '2024-01-01' w,
  t VERSION AS OF 3,
  table_changes('t', 1);

SELECT *
FROM t
LATERAL VIEW OUTER explode(m) e AS k, v
LATERAL VIEW posexplode(xs) p
WHERE k IS NOT NULL;

SELECT *
FROM t
PIVOT (sum(x) AS s, count(*) FOR (a, b) IN ((1, 2) AS one, (3, 4))) p;

SELECT *
FROM t
PIVOT (max(x) FOR q IN ('a' AS aa, 'b'));

SELECT *
FROM t
UNPIVOT INCLUDE NULLS (v FOR n IN (a, b AS bb)) u;

SELECT *
FROM t
UNPIVOT ((v, w) FOR n IN ((a, b) AS x, (c, d)));

SELECT a, grouping(a)
FROM t
GROUP BY ROLLUP (a, (b, c)), CUBE (d), GROUPING SETS ((a, b), (), a);

SELECT a
FROM t
GROUP BY a, b WITH ROLLUP;

SELECT a
FROM t
GROUP BY a, b GROUPING SETS ((a), (b));

SELECT a
FROM t
GROUP BY ALL
ORDER BY ALL DESC;

SELECT a
FROM t
UNION ALL
SELECT b
FROM u
INTERSECT
SELECT c
FROM v
EXCEPT
(SELECT d FROM w ORDER BY d LIMIT 1)
MINUS
SELECT e
FROM x
ORDER BY 1;

FROM t
SELECT a
WHERE b;

FROM t;

TABLE t;

VALUES (1), (2);

FROM t
|> WHERE a > 1
|> SELECT a, b
|> EXTEND a + 1 AS c, 2 AS d
|> SET a = 5
|> DROP b
|> AGGREGATE sum(c) AS s, count(*)
  GROUP BY a
|> AS q
|> JOIN u ON u.a = q.a
|> ORDER BY s
|> LIMIT 3
|> UNION ALL
  (SELECT 1, 2);

FROM t
|> PIVOT (sum(x) FOR a IN (1, 2))
|> UNPIVOT (v FOR n IN (a))
|> TABLESAMPLE (5 ROWS)
|> SELECT DISTINCT 1;

SELECT *
FROM t
DISTRIBUTE BY a
SORT BY b;

SELECT *
FROM t
CLUSTER BY a;

SELECT a
FROM t
QUALIFY row_number() OVER (ORDER BY a) = 1;

SELECT /*+ broadcast(b), coalesce(3) */ *
FROM a
JOIN b ON a.x = b.x;

SELECT
  device_id,
  from_json(
    CAST(body AS STRING),
    'a INT, b STRING, c ARRAY<STRUCT<d: INT, e: STRING>>',
    map('mode', 'PERMISSIVE')
  ) AS parsed,
  concat_ws('-', site, line, machine) AS place
FROM bronze
WHERE enqueued_at > current_timestamp() - INTERVAL 1 DAY
  AND (site = 'north' OR site = 'south')
  AND coalesce(pressure, temperature, vibration, humidity) IS NOT NULL;

SELECT x
FROM ${catalog}.${schema}.t_${suffix}
WHERE d >= '${from}'
LIMIT ${n};
