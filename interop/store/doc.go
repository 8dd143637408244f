// Package store tries Delta tables on the servers that test_store.py starts: an
// object store's own tests are beside it. Its tests are skipped without one.
package store
