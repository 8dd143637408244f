// Command load is the benchmark's generator: it sends the same JSON messages
// over MQTT to a hub or a plain broker, or to Kafka, and prints what came back
// as one JSON object. Messages have eight fields and about 190 bytes; one in
// 200 is malformed and three in 200 have a null.
package main
