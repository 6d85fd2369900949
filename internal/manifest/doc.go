// Package manifest reads Kubernetes objects out of an API server's answer as it arrives.
//
// A Reader splits the body of a list into raw items, a TableReader that of a server-side Table into rows, a Pager and a
// TablePager follow the list over its pages. A body is never decoded as a whole: an item is the bytes that the server
// sent, less managedFields and the data of Secrets, and only its identity is looked at.
//
// # What is checked
//
// Bodies come from strangers. Each byte up to the end of the document is checked to be JSON by RFC 8259, as the strict
// parser of github.com/go-json-experiment/json/jsontext does: UTF-8, escape sequences and surrogate pairs, numbers and
// literals, at most 10,000 levels. An item is delivered after all of it and all before it have been checked; a fuzz test
// holds the readers to that parser.
//
// RFC 7493 also forbids that a name comes twice in an object, for two readers may take two members for it. It is refused
// wherever this package reads members, so that no Secret is taken for something else: in the document itself and its
// metadata; in each item and its metadata; in the annotations of a Secret whose copies of what was applied are cut out;
// in the objects of a list inside an item, unless nothing is to be cut out, and in their metadata; in a row of a Table,
// its object and the metadata of that. Below that, such as in a spec, names may repeat and are passed on as they came:
// to look for them there as well would take nearly as long as all the rest together. Names are compared without their escapes, and
// upper case is not lower case.
//
// What is held at once is bounded by Options.MaxItemBytes: it is the bound of an item, and of all that stands beside the
// items. What a reader holds is a small multiple of it. The time for an item is in proportion to its size, in whatever
// pieces it arrives.
//
// # How it is read
//
// A source reads the body into a buffer and keeps what is still needed. The scanner goes over that 64 bytes at a time,
// and stops behind the brackets near the document's root. The document walks members and elements between two stops; by
// then their bytes have been checked, so walking them cannot fail. Reader and TableReader say what they mean.
//
// On amd64 the bytes are classified with AVX2 where the processor has it; the build tag purego leaves that out.
//
// The package does no I/O of its own and starts no goroutine. It does not fetch, does not retry, and does not judge what
// an item means.
package manifest
