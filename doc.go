// Package marisma runs an IoT lakehouse inside a Go program: what `marisma up`
// does, for tests and for programs that bring their own main. Devices speak
// MQTT to it as to Azure IoT Hub, its pipelines are Lakeflow SQL, its tables
// are Delta Lake; package delta reads and writes them without the rest.
//
// What a crash can lose is said by the stores themselves; in short, nothing
// that was acknowledged.
package marisma
