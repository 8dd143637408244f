CREATE OR REFRESH MATERIALIZED VIEW gold_daily
COMMENT 'Daily mean and maximum per station and pollutant; the day is Beijing''s'
AS SELECT
  station,
  to_date(from_utc_timestamp(observed_at, 'Asia/Shanghai')) AS day,
  pollutant,
  count(value) AS observations,
  avg(value) AS mean,
  max(value) AS maximum
FROM silver
LATERAL VIEW explode(map('PM2.5', pm25, 'PM10', pm10, 'SO2', so2, 'NO2', no2, 'CO', co, 'O3', o3)) AS pollutant, value
WHERE value IS NOT NULL
GROUP BY ALL;
