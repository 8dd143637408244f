// Package fleet plays devices: Simulate makes up the machines of a plant with
// honest dirt (nulls, stuck values, outliers, duplicates, late, future-dated
// and malformed messages), Replay sends the rows of CSV files as the devices
// that measured them. Both are ordinary clients of the hub: MQTT over TLS, a
// SAS token per device, QoS 1 with a bounded window, and each message counts
// as sent only once it was acknowledged.
package fleet
