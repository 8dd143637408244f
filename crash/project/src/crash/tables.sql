CREATE OR REFRESH STREAMING TABLE bronze
AS SELECT CAST(key AS STRING) AS device_id, CAST(value AS STRING) AS body, partition, offset
FROM STREAM read_kafka(bootstrapServers => 'marisma.local:9093', subscribe => 'telemetry', startingOffsets => 'earliest');

-- Kept or set aside: each row of bronze is in exactly one of the two tables.
CREATE OR REFRESH STREAMING TABLE silver (
  CONSTRAINT has_id EXPECT (id IS NOT NULL) ON VIOLATION DROP ROW,
  CONSTRAINT positive EXPECT (v >= 0) ON VIOLATION DROP ROW
)
TBLPROPERTIES ('marisma.quarantine' = 'true')
AS SELECT r.id AS id, r.v AS v, device_id, partition, offset
FROM (SELECT *, from_json(body, 'id STRING, v DOUBLE') AS r FROM STREAM(bronze));

-- Kept or dropped: what is missing here breaks the rule.
CREATE OR REFRESH STREAMING TABLE kept (
  CONSTRAINT positive EXPECT (v >= 0) ON VIOLATION DROP ROW
)
AS SELECT r.id AS id, r.v AS v, partition, offset
FROM (SELECT *, from_json(body, 'id STRING, v DOUBLE') AS r FROM STREAM(bronze));

CREATE OR REFRESH MATERIALIZED VIEW gold
AS SELECT device_id, count(*) AS n, max(v) AS top FROM silver GROUP BY device_id;
