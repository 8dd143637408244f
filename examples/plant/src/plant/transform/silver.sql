-- One typed row a reading. What breaks a rule is set aside with its reason in
-- silver_readings_quarantine; nothing is dropped silently.
CREATE OR REFRESH STREAMING TABLE silver_readings (
  CONSTRAINT body_is_json EXPECT (corrupt IS NULL) ON VIOLATION DROP ROW,
  CONSTRAINT has_event_time EXPECT (event_time IS NOT NULL) ON VIOLATION DROP ROW,
  CONSTRAINT not_from_the_future EXPECT (event_time <= enqueued_at + INTERVAL 5 MINUTES) ON VIOLATION DROP ROW,
  CONSTRAINT temperature_plausible EXPECT (temperature IS NULL OR temperature BETWEEN -60 AND 1400) ON VIOLATION DROP ROW,
  CONSTRAINT power_not_negative EXPECT (power_kw IS NULL OR power_kw >= 0) ON VIOLATION DROP ROW,
  CONSTRAINT machine_is_known EXPECT (kind IS NOT NULL) ON VIOLATION DROP ROW,
  CONSTRAINT measures_something EXPECT (coalesce(temperature, pressure, vibration, power_kw, humidity, co2, pm25) IS NOT NULL),
  CONSTRAINT on_time EXPECT (event_time >= enqueued_at - INTERVAL 1 DAY)
)
COMMENT 'Typed readings with the machine they come from'
TBLPROPERTIES ('quality' = 'silver', 'marisma.quarantine' = 'true')
AS SELECT
  b.device_id,
  m.site,
  m.line,
  m.kind,
  b.r.ts AS event_time,
  b.r.seq AS seq,
  b.r.temperature AS temperature,
  b.r.pressure AS pressure,
  b.r.vibration AS vibration,
  b.r.power_kw AS power_kw,
  b.r.humidity AS humidity,
  b.r.co2 AS co2,
  b.r.pm25 AS pm25,
  b.r.status AS status,
  b.firmware,
  b.r._corrupt_record AS corrupt,
  b.partition,
  b.offset,
  b.enqueued_at
FROM (
  SELECT
    *,
    from_json(
      CAST(body AS STRING),
      'ts TIMESTAMP, seq BIGINT, temperature DOUBLE, pressure DOUBLE, vibration DOUBLE, power_kw DOUBLE, humidity DOUBLE, co2 DOUBLE, pm25 DOUBLE, status STRING, _corrupt_record STRING',
      map('mode', 'PERMISSIVE', 'columnNameOfCorruptRecord', '_corrupt_record')
    ) AS r
  FROM STREAM(bronze_telemetry)
) b
LEFT JOIN machines m ON m.device_id = b.device_id;
