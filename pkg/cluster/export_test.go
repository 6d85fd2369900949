package cluster

// MaxPageBytes is the bound of one answer to a read.
const MaxPageBytes = maxPageBytes
