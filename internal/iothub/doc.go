// Package iothub is the device front: it speaks to devices as Azure IoT Hub
// does, over MQTT 3.1.1 with TLS or WebSocket, and writes their telemetry to
// the event log.
//
// A message is acknowledged once the log says that it is durable; from then on
// it cannot be lost. What is not acknowledged when a connection or the process
// ends may be in the log or not, and the device sends it again. QoS 0
// messages take the same way without an acknowledgement.
//
// The topic space is a connection's own: every device has the same
// $iothub/... filters and reaches only what is its own. Device twins, direct
// methods and messages to devices are not served yet: their subscriptions are
// granted, for SDKs need them, and requests get an answer that says so.
//
// The Registry is durable: Add, SetStatus and Remove return after the change
// is synced.
package iothub
