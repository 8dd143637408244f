-- Rules: a row needs its time and at least one pollutant, values within what
-- the instruments can show, and fine dust is part of coarse dust.
CREATE OR REFRESH STREAMING TABLE silver (
  CONSTRAINT has_time EXPECT (observed_at IS NOT NULL) ON VIOLATION DROP ROW,
  CONSTRAINT has_pollutant EXPECT (coalesce(pm25, pm10, so2, no2, co, o3) IS NOT NULL) ON VIOLATION DROP ROW,
  CONSTRAINT not_saturated EXPECT (coalesce(co, 0) < 10000 AND coalesce(pm10, 0) < 999) ON VIOLATION DROP ROW,
  CONSTRAINT ozone_plausible EXPECT (o3 IS NULL OR o3 <= 500) ON VIOLATION DROP ROW,
  CONSTRAINT temperature_plausible EXPECT (temperature IS NULL OR temperature BETWEEN -40 AND 50) ON VIOLATION DROP ROW,
  CONSTRAINT fine_within_coarse EXPECT (pm25 IS NULL OR pm10 IS NULL OR pm25 <= pm10)
)
COMMENT 'Typed hourly observations'
TBLPROPERTIES ('marisma.quarantine' = 'true')
AS SELECT
  station,
  r.ts AS observed_at,
  r.No AS row_number,
  r.`PM2.5` AS pm25,
  r.PM10 AS pm10,
  r.SO2 AS so2,
  r.NO2 AS no2,
  r.CO AS co,
  r.O3 AS o3,
  r.TEMP AS temperature,
  r.PRES AS pressure,
  r.wd AS wind_direction,
  r.WSPM AS wind_speed,
  partition,
  offset
FROM (
  SELECT
    *,
    from_json(
      CAST(body AS STRING),
      'ts TIMESTAMP, No INT, `PM2.5` DOUBLE, PM10 DOUBLE, SO2 DOUBLE, NO2 DOUBLE, CO DOUBLE, O3 DOUBLE, TEMP DOUBLE, PRES DOUBLE, wd STRING, WSPM DOUBLE'
    ) AS r
  FROM STREAM(bronze)
);
