// Package objstore is the storage that Delta tables lie on: objects under
// slash-separated keys, listed in order, read by range, and put on condition
// that the key is free, which is what commits need. Local keeps them as files
// of a folder, Memory in memory; the cloud stores have packages of their own.
// objstoretest is the conformance suite that every store passes.
//
// A Put that returned is durable: a crash loses nothing of it. A Put that did
// not return has either happened as a whole or not at all.
package objstore
