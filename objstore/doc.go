// Package objstore is the storage that Delta tables lie on: objects under
// slash-separated keys, listed in order, read by range, and put on condition
// that the key is free, which is what commits need. objstoretest is the
// conformance suite that every store passes.
//
// A Put that returned is durable: a crash loses nothing of it. A Put that did
// not return has either happened as a whole or not at all. A conditional Put
// that happened is never reported as ErrExists, whatever became of the answer:
// where a store cannot find out, it says ErrUnknownOutcome.
//
// # Stores
//
// Local keeps objects as files of a folder, Memory in memory. The cloud stores
// have packages of their own, so that who does not import them compiles none of
// their SDKs:
//
//	objstore/azure   Azure Blob Storage and ADLS Gen2: abfss://, az://, https://
//	objstore/s3      Amazon S3 and servers like it: s3://
//	objstore/cache   copies of immutable objects on disk, in front of another store
//
// Parse takes an address apart and tells which of them opens it. There is no
// registry: a program switches over Location.Kind and calls what it imports.
//
// # Errors
//
// Errors belong to the families below (errors.Is); those of a service are
// ServiceErrors, which say what was tried where and what the service answered,
// and hold no credentials.
package objstore
