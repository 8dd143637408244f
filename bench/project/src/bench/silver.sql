CREATE OR REFRESH STREAMING TABLE silver (
  CONSTRAINT has_device EXPECT (device IS NOT NULL) ON VIOLATION DROP ROW,
  CONSTRAINT has_time EXPECT (ts IS NOT NULL) ON VIOLATION DROP ROW,
  CONSTRAINT plausible EXPECT (temperature IS NULL OR temperature BETWEEN -60 AND 1400) ON VIOLATION DROP ROW,
  CONSTRAINT has_temperature EXPECT (temperature IS NOT NULL),
  CONSTRAINT running EXPECT (status = 'running')
)
AS SELECT r.device, r.ts, r.seq, r.temperature, r.pressure, r.vibration, r.power_kw, r.status, partition, offset
FROM (
  SELECT *, from_json(CAST(value AS STRING),
    'device STRING, ts TIMESTAMP, seq BIGINT, temperature DOUBLE, pressure DOUBLE, vibration DOUBLE, power_kw DOUBLE, status STRING') AS r
  FROM STREAM read_kafka(bootstrapServers => 'marisma.local:9093', subscribe => 'telemetry', startingOffsets => 'earliest')
);
