package fleet

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Row is one CSV row as the message of a device.
type Row struct {
	Device string
	Time   time.Time // zero where the file has no time column
	Body   []byte    // a JSON object with one member a column, and "ts" where Time is known
}

// csvFile reads the rows of one file.
type csvFile struct {
	name    string
	f       *os.File
	r       *csv.Reader
	head    []string
	keys    [][]byte // the members' names as JSON
	device  int      // column of the device, -1: the file's name
	stamp   int      // column of the time, -1: year, month, day, hour or none
	parts   [4]int   // year, month, day, hour; -1 where absent
	zone    *time.Location
	line    int
	nulls   []string
	current Row
}

// deviceColumns are the names that are taken for the device's column when none is told.
var deviceColumns = []string{"device_id", "deviceid", "device", "station", "sensor"}

// timeColumns are the names that are taken for the time.
var timeColumns = []string{"ts", "timestamp", "time", "datetime", "date"}

// nullTexts are what CSV files of sensor data write for "no value".
var nullTexts = []string{"", "NA", "NaN", "null", "NULL"}

func openCSV(path, deviceColumn, timeColumn string, zone *time.Location) (*csvFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	c := &csvFile{name: path, f: f, r: csv.NewReader(f), zone: zone, line: 1, nulls: nullTexts}
	c.r.ReuseRecord = true
	head, err := c.r.Read()
	if err != nil {
		_ = f.Close() // opened for reading only
		return nil, fmt.Errorf("%s: header: %w", path, err)
	}
	c.head = slices.Clone(head)
	c.head[0] = strings.TrimPrefix(c.head[0], "\ufeff") // a byte order mark, as spreadsheets write it
	if err := c.columns(deviceColumn, timeColumn); err != nil {
		_ = f.Close() // opened for reading only
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

func (c *csvFile) columns(deviceColumn, timeColumn string) error {
	find := func(names ...string) int {
		return slices.IndexFunc(c.head, func(h string) bool { return slices.Contains(names, strings.ToLower(h)) })
	}
	c.device, c.stamp = find(deviceColumns...), find(timeColumns...)
	if deviceColumn != "" {
		if c.device = find(strings.ToLower(deviceColumn)); c.device < 0 {
			return fmt.Errorf("no column %q; there are %s", deviceColumn, strings.Join(c.head, ", "))
		}
	}
	if timeColumn != "" {
		if c.stamp = find(strings.ToLower(timeColumn)); c.stamp < 0 {
			return fmt.Errorf("no column %q; there are %s", timeColumn, strings.Join(c.head, ", "))
		}
	}
	for i, n := range []string{"year", "month", "day", "hour"} {
		c.parts[i] = find(n)
	}
	for _, h := range c.head {
		c.keys = append(c.keys, appendJSONString(nil, h))
	}
	return nil
}

// next reads the next row into c.current; io.EOF at the end.
func (c *csvFile) next() error {
	rec, err := c.r.Read()
	if err != nil {
		if errors.Is(err, io.EOF) {
			return io.EOF
		}
		return fmt.Errorf("%s: %w", c.name, err)
	}
	c.line, _ = c.r.FieldPos(0)
	t, err := c.time(rec)
	if err != nil {
		return fmt.Errorf("%s:%d: %w", c.name, c.line, err)
	}
	device := strings.TrimSuffix(filepath.Base(c.name), filepath.Ext(c.name))
	if c.device >= 0 {
		if device = strings.Clone(rec[c.device]); device == "" {
			return fmt.Errorf("%s:%d: column %s: the row names no device", c.name, c.line, c.head[c.device])
		}
	}
	c.current = Row{Device: device, Time: t, Body: c.body(rec, t)}
	return nil
}

func (c *csvFile) time(rec []string) (time.Time, error) {
	if c.stamp >= 0 {
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999", "2006-01-02T15:04:05.999999", "2006-01-02 15:04", time.DateOnly} {
			if t, err := time.ParseInLocation(layout, rec[c.stamp], c.zone); err == nil {
				return t, nil
			}
		}
		return time.Time{}, fmt.Errorf("column %s: %q is no time", c.head[c.stamp], rec[c.stamp])
	}
	if c.parts[0] < 0 || c.parts[1] < 0 || c.parts[2] < 0 {
		return time.Time{}, nil
	}
	var n [4]int
	for i, p := range c.parts {
		if p < 0 {
			continue
		}
		v, err := strconv.Atoi(rec[p])
		if err != nil {
			return time.Time{}, fmt.Errorf("column %s: %q is no number", c.head[p], rec[p])
		}
		n[i] = v
	}
	return time.Date(n[0], time.Month(n[1]), n[2], n[3], 0, 0, 0, c.zone), nil
}

func (c *csvFile) body(rec []string, t time.Time) []byte {
	b := make([]byte, 0, 32*len(rec))
	b = append(b, '{')
	if !t.IsZero() {
		b = append(b, `"ts":"`...)
		b = t.AppendFormat(b, time.RFC3339Nano)
		b = append(b, `",`...)
	}
	for i, v := range rec {
		if i == c.stamp {
			if c.head[i] == "ts" {
				continue
			}
		}
		b = append(b, c.keys[i]...)
		b = append(b, ':')
		switch {
		case slices.Contains(c.nulls, v):
			b = append(b, "null"...)
		case isJSONNumber(v):
			b = append(b, v...)
		default:
			b = appendJSONString(b, v)
		}
		b = append(b, ',')
	}
	b[len(b)-1] = '}'
	return b
}

// isJSONNumber tells whether s is a number by RFC 8259 as it stands.
func isJSONNumber(s string) bool {
	t := strings.TrimPrefix(s, "-")
	if t == "" || t[0] < '0' || t[0] > '9' || len(t) > 1 && t[0] == '0' && t[1] >= '0' && t[1] <= '9' || t[len(t)-1] == '.' {
		return false
	}
	_, err := strconv.ParseFloat(s, 64)
	return err == nil && !strings.ContainsAny(s, "xXpP_")
}
