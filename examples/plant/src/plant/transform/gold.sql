-- Devices send again what was not acknowledged, so a reading may come twice:
-- the first one counts.
CREATE TEMPORARY VIEW readings_once AS
SELECT *
FROM silver_readings
QUALIFY row_number() OVER (PARTITION BY device_id, seq ORDER BY enqueued_at, partition, offset) = 1;

CREATE OR REFRESH MATERIALIZED VIEW gold_machine_5min
COMMENT 'Five-minute windows per machine'
TBLPROPERTIES ('quality' = 'gold')
AS SELECT
  window(event_time, '5 minutes').start AS window_start,
  device_id,
  site,
  kind,
  count(*) AS readings,
  round(avg(temperature), 2) AS avg_temperature,
  max(temperature) AS max_temperature,
  round(avg(vibration), 3) AS avg_vibration,
  round(avg(power_kw), 2) AS avg_power_kw
FROM readings_once
GROUP BY window(event_time, '5 minutes'), device_id, site, kind;

CREATE OR REFRESH MATERIALIZED VIEW gold_machine_health
COMMENT 'Last word of each machine and how it has been doing'
TBLPROPERTIES ('quality' = 'gold')
AS SELECT
  m.device_id,
  m.kind,
  m.site,
  m.line,
  count(r.seq) AS readings,
  max(r.event_time) AS last_seen,
  max_by(r.status, r.event_time) AS last_status,
  count_if(r.temperature > m.max_temperature) AS overheated,
  count_if(r.vibration > 7.1) AS shaking,
  CASE
    WHEN count(r.seq) = 0 THEN 'silent'
    WHEN count_if(r.temperature > m.max_temperature) > 0.02 * count(r.seq) THEN 'hot'
    WHEN count_if(r.vibration > 7.1) > 0.02 * count(r.seq) THEN 'shaking'
    ELSE 'good'
  END AS health
FROM machines m
LEFT JOIN readings_once r ON r.device_id = m.device_id
GROUP BY m.device_id, m.kind, m.site, m.line;

CREATE OR REFRESH MATERIALIZED VIEW gold_energy_site
COMMENT 'Energy per site and hour: mean power of each machine times the hour, summed'
TBLPROPERTIES ('quality' = 'gold')
AS WITH per_machine AS (
  SELECT site, device_id, date_trunc('HOUR', event_time) AS hour, avg(power_kw) AS mean_kw
  FROM readings_once
  WHERE power_kw IS NOT NULL
  GROUP BY ALL
)
SELECT
  site,
  hour,
  count(*) AS machines,
  round(sum(mean_kw), 1) AS kwh,
  round(sum(sum(mean_kw)) OVER (PARTITION BY site ORDER BY hour), 1) AS kwh_running
FROM per_machine
GROUP BY site, hour;
