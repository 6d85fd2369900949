// Package compare tells how one object differs from cluster to cluster.
//
// A [Normalizer] takes out of an object what differs by nature (its status, what API servers set) and what the caller
// ignores, and makes one form of what is left: equal objects have equal hashes, whatever the order of their members. The
// values of Secrets leave it only as a keyed digest, which tells that two differ and nothing else.
//
// A [Comparison] groups the clusters by the hash that an object has there. It keeps a few bytes a cluster and object, and of
// each form its content in a bounded, compressed shelf; what does not fit is for the caller to read again.
//
// [YAML] and [Unified] show how two forms differ, in bounded time and size.
//
// The package does no I/O and starts no goroutine. It does not know how objects are read, nor what is done with what it finds.
package compare
