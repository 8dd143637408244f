-- One typed row a reading. What breaks a rule is set aside with its reason in
-- silver_readings_quarantine.
CREATE OR REFRESH STREAMING TABLE silver_readings (
  CONSTRAINT body_is_json EXPECT (corrupt IS NULL) ON VIOLATION DROP ROW,
  CONSTRAINT has_event_time EXPECT (event_time IS NOT NULL) ON VIOLATION DROP ROW,
  CONSTRAINT temperature_plausible EXPECT (temperature IS NULL OR temperature BETWEEN -60 AND 1400) ON VIOLATION DROP ROW,
  CONSTRAINT power_known EXPECT (power_kw IS NOT NULL)
)
COMMENT 'Typed readings'
TBLPROPERTIES ('quality' = 'silver', 'marisma.quarantine' = 'true')
AS SELECT
  device_id,
  r.ts AS event_time,
  r.seq AS seq,
  r.temperature AS temperature,
  r.power_kw AS power_kw,
  r.status AS status,
  r._corrupt_record AS corrupt,
  partition,
  offset,
  enqueued_at
FROM (
  SELECT
    *,
    from_json(
      CAST(body AS STRING),
      'ts TIMESTAMP, seq BIGINT, temperature DOUBLE, power_kw DOUBLE, status STRING, _corrupt_record STRING',
      map('mode', 'PERMISSIVE', 'columnNameOfCorruptRecord', '_corrupt_record')
    ) AS r
  FROM STREAM(bronze_readings)
);
