// Package store keeps what outlives the process: the latest health of each cluster and the history of its changes. It is
// NATS JetStream, embedded in the process or an external one, and the only package that knows that.
//
// Save and Append never wait for a disk or a network: one goroutine writes behind them. While writing is not possible, the
// store says so by Status, keeps what is pending, within bounds, and writes it once it can. Nothing else of the product
// stops for it.
//
// It does not keep what may be derived from these two, and it never deletes what it cannot read.
package store
