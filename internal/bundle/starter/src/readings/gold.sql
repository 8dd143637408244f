CREATE OR REFRESH MATERIALIZED VIEW gold_device_5min
COMMENT 'Five-minute windows per device'
TBLPROPERTIES ('quality' = 'gold')
AS SELECT
  window(event_time, '5 minutes').start AS window_start,
  device_id,
  count(*) AS readings,
  round(avg(temperature), 2) AS avg_temperature,
  max(temperature) AS max_temperature,
  round(avg(power_kw), 2) AS avg_power_kw
FROM silver_readings
GROUP BY window(event_time, '5 minutes'), device_id;
