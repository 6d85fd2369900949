// Package shape selects objects by an expression and makes of each what was asked for: a Where is a CEL predicate over
// `object`, a Projection a JSONPath template in kubectl's syntax. Both are compiled once and may be used by any number of
// goroutines; what they are both applied to is decoded once.
//
// Expressions come from strangers, and so do objects. An expression is refused before it is used where it is known to be
// too costly, and stopped where it turns out to be: whatever the two are, it ends soon, and in bounded memory. Errors say
// which bound was met or what the expression wants of an object, and never quote the object.
//
// The package sees what it is given: the caller cuts out of an object first what may not be seen.
package shape
