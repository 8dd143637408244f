// Package objstoretest is the suite that every objstore.Store passes: what
// Delta's commits and readers rely on, tried from outside.
package objstoretest
