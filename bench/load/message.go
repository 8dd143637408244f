package main

import (
	"strconv"
	"time"
)

// Every so many messages carry a fault.
const (
	malformedEvery = 200
	nullEvery      = 67
)

// message appends the body of message n of device dev, sent at t.
func message(dst []byte, dev string, n int64, t time.Time) []byte {
	if n%malformedEvery == 7 {
		dst = append(dst, `{"device":"`...)
		return append(dst, dev...)
	}
	dst = append(dst, `{"device":"`...)
	dst = append(dst, dev...)
	dst = append(dst, `","ts":"`...)
	dst = t.UTC().AppendFormat(dst, "2006-01-02T15:04:05.000000Z")
	dst = append(dst, `","seq":`...)
	dst = strconv.AppendInt(dst, n, 10)
	dst = append(dst, `,"temperature":`...)
	if n%nullEvery == 3 {
		dst = append(dst, "null"...)
	} else {
		dst = strconv.AppendFloat(dst, 20+float64(n%400)/10, 'f', 1, 64)
	}
	dst = append(dst, `,"pressure":`...)
	dst = strconv.AppendFloat(dst, 5+float64(n%97)/50, 'f', 2, 64)
	dst = append(dst, `,"vibration":`...)
	dst = strconv.AppendFloat(dst, float64(n%31)/7, 'f', 4, 64)
	dst = append(dst, `,"power_kw":`...)
	dst = strconv.AppendFloat(dst, 30+float64(n%53)/9, 'f', 4, 64)
	return append(dst, `,"status":"running"}`...)
}
