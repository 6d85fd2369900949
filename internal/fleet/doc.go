// Package fleet does the product's work: it selects clusters, fans out over them with bounded concurrency, asks one
// cluster at a time through package cluster, keeps the latest observation of each, and yields every result as it comes.
//
// A use case returns a Run: how many results to expect, and an iterator over them. Ranging over it does the work, in the
// caller's goroutine as far as results go; leaving the range ends all that is in flight and waits for it. What fails in a
// cluster is a result. An error is returned only for a request that makes no sense, before anything is asked.
//
// The package knows neither gRPC nor the wire format of the API; internal/server does.
package fleet
