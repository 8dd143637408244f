// Package auth tells who is there: the certificate authority that the first
// start makes, the tokens of people and programs, and the shared access
// signatures that devices sign as for Azure IoT Hub. It decides who a caller
// is, never what it may do.
//
// Secrets lie in the data folder, readable by its owner alone; of tokens only
// the SHA-256 is kept. No error holds a secret. What Mint and OpenCA returned
// is durable; a crash before loses the token or the authority as a whole.
package auth
