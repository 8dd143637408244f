package main

// pairing is a dashboard's query in Spark SQL, and what one would write for
// DuckDB.
type pairing struct{ name, spark, duck string }

func dashboard() []pairing {
	same := func(name, text string) pairing { return pairing{name, text, text} }
	return []pairing{
		same("count", "SELECT count(*) FROM readings"),
		same("time range", "SELECT count(*), avg(value) FROM readings WHERE day BETWEEN DATE '2024-02-01' AND DATE '2024-02-29'"),
		{"time range of instants", "SELECT max(value) FROM readings WHERE ts >= TIMESTAMP '2024-03-01 00:00:00' AND ts < TIMESTAMP '2024-03-08 00:00:00'",
			"SELECT max(value) FROM readings WHERE ts >= TIMESTAMPTZ '2024-03-01 00:00:00+00' AND ts < TIMESTAMPTZ '2024-03-08 00:00:00+00'"},
		{"by hour", "SELECT date_trunc('HOUR', ts) AS h, avg(value), count(*) FROM readings WHERE day < DATE '2024-04-01' GROUP BY 1 ORDER BY 1",
			"SELECT date_trunc('hour', ts) AS h, avg(value), count(*) FROM readings WHERE day < DATE '2024-04-01' GROUP BY 1 ORDER BY 1"},
		same("by day and metric", "SELECT day, metric, min(value), max(value), avg(value) FROM readings GROUP BY day, metric ORDER BY day, metric"),
		{"window of 15 minutes", "SELECT window(ts, '15 minutes').start AS w, count(*) FROM readings WHERE day < DATE '2024-03-01' GROUP BY 1",
			"SELECT time_bucket(INTERVAL 15 MINUTE, ts) AS w, count(*) FROM readings WHERE day < DATE '2024-03-01' GROUP BY 1"},
		same("top devices", "SELECT device, sum(price) AS total FROM readings GROUP BY device ORDER BY total DESC, device LIMIT 10"),
		same("last rows", "SELECT seq, device, value FROM readings ORDER BY seq DESC LIMIT 100"),
		same("join with a dimension", "SELECT site, kind, count(*), avg(value) FROM readings JOIN devices ON readings.device = devices.device GROUP BY site, kind"),
		same("join and filter", "SELECT name, max(value) FROM readings LEFT JOIN devices ON readings.device = devices.device WHERE site = 'site 3' AND status = 'error' GROUP BY name"),
		same("distinct", "SELECT metric, count(DISTINCT device) FROM readings GROUP BY metric"),
		{"percentiles", "SELECT metric, percentile(value, 0.95) FROM readings WHERE day < DATE '2024-04-01' GROUP BY metric",
			"SELECT metric, quantile_cont(value, 0.95) FROM readings WHERE day < DATE '2024-04-01' GROUP BY metric"},
		same("running total", "SELECT max(total) FROM (SELECT sum(price) OVER (PARTITION BY device ORDER BY seq) AS total FROM readings WHERE day < DATE '2024-02-01') t"),
		same("change", "SELECT count(*) FROM (SELECT value - lag(value) OVER (PARTITION BY device ORDER BY seq) AS d FROM readings WHERE day < DATE '2024-02-01') t WHERE d > 50"),
		same("like", "SELECT count(*) FROM readings WHERE note LIKE 'line-7 %'"),
		{"regular expression", "SELECT count(*) FROM readings WHERE note RLIKE 'operator 4[0-9] '", "SELECT count(*) FROM readings WHERE regexp_matches(note, 'operator 4[0-9] ')"},
		{"JSON", "SELECT j.mode, avg(j.rpm) FROM (SELECT from_json(payload, 'rpm INT, mode STRING') AS j FROM readings WHERE day < DATE '2024-03-01') t GROUP BY j.mode",
			"SELECT j.mode, avg(j.rpm) FROM (SELECT from_json(payload, '{\"rpm\":\"INTEGER\",\"mode\":\"VARCHAR\"}') AS j FROM readings WHERE day < DATE '2024-03-01') t GROUP BY j.mode"},
		{"share of errors", "SELECT day, count_if(status = 'error') / count(*) FROM readings GROUP BY day ORDER BY day",
			"SELECT day, count_if(status = 'error') / count(*) FROM readings GROUP BY day ORDER BY day"},
		same("CASE classes", "SELECT CASE WHEN value < 20 THEN 'low' WHEN value < 80 THEN 'middle' ELSE 'high' END AS class, count(*) FROM readings GROUP BY 1"),
		{"calendar", "SELECT year(ts), month(ts), dayofweek(ts), count(*) FROM readings GROUP BY 1, 2, 3",
			"SELECT year(ts), month(ts), dayofweek(ts) + 1, count(*) FROM readings GROUP BY 1, 2, 3"},
	}
}

// expression is a function of ours over a column beside DuckDB's nearest.
type expression struct{ column, spark, duck string }

func expressions() []expression {
	return []expression{
		{"value", "CAST(value AS STRING)", "CAST(value AS VARCHAR)"},
		{"price", "CAST(price AS STRING)", "CAST(price AS VARCHAR)"},
		{"ts", "CAST(ts AS STRING)", "CAST(ts AS VARCHAR)"},
		{"price", "price / 3.0", "price / 3.0"},
		{"price", "price * 2.5", "price * 2.5"},
		{"price", "round(price, 1)", "round(price, 1)"},
		{"seq", "seq + 1", "seq + 1"},
		{"seq", "seq % 7", "seq % 7"},
		{"note", "upper(note)", "upper(note)"},
		{"note", "substring(note, 3, 5)", "substring(note, 3, 5)"},
		{"note", "split(note, ' ')", "string_split(note, ' ')"},
		{"note", "regexp_extract(note, 'B([0-9]+)', 1)", "regexp_extract(note, 'B([0-9]+)', 1)"},
		{"note", "regexp_replace(note, '[0-9]', '#')", "regexp_replace(note, '[0-9]', '#', 'g')"},
		{"ts", "date_format(ts, 'yyyy-MM-dd HH:mm')", "strftime(ts, '%Y-%m-%d %H:%M')"},
		{"ts", "date_trunc('DAY', ts)", "date_trunc('day', ts)"},
		{"payload", "get_json_object(payload, '$.mode')", "json_extract_string(payload, '$.mode')"},
		{"payload", "from_json(payload, 'rpm INT, mode STRING')", "from_json(payload, '{\"rpm\":\"INTEGER\",\"mode\":\"VARCHAR\"}')"},
		{"note", "xxhash64(note)", "hash(note)"},
		{"seq", "hash(seq)", "hash(seq)"},
		{"note", "md5(note)", "md5(note)"},
	}
}
