// Package manifest reads Kubernetes objects out of an API server's answer as it arrives.
//
// A Reader splits the body of a list into raw items, a TableReader that of a server-side Table into rows, a Pager and a
// TablePager follow the list over its pages. A body is never decoded as a whole: an item is the bytes that the server
// sent, less managedFields and the data of Secrets, and only its identity is looked at.
//
// Bodies come from strangers. Each byte up to the end of the document is checked to be JSON by RFC 7493: valid UTF-8, no
// member name twice in an object, at most 10,000 levels. What is held at once is bounded by Options.MaxItemBytes: it is
// the bound of an item, and of all that stands beside the items. What a reader holds is a small multiple of it.
//
// The package does no I/O of its own and starts no goroutine. It does not fetch, does not retry, and does not judge what
// an item means.
package manifest
