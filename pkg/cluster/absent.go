package cluster

import (
	"errors"
	"net/http"
)

// A 404 says that something is not there only where a Kubernetes API server says so: by a Status, or by a discovery that does
// not have the type. Anything may answer 404: a proxy, a portal, a load balancer that has lost what was behind it.

// noStatus returns the error of a read that was answered with 404 and without a Status: as API servers answer for paths that
// they do not serve, and others for every path.
func noStatus() *Error {
	return notFoundAt("the server answered 404, and not as a Kubernetes API server that serves the type does")
}

// noAPI returns the error of a server that has not even the root of an API.
func noAPI(root string) *Error {
	return notFoundAt("the server answered 404 to " + root + ", which every Kubernetes API server has")
}

func notFoundAt(message string) *Error {
	e := NewError(MalformedResponse, PhaseBody, message, nil)
	e.StatusCode = http.StatusNotFound
	return e
}

// is404 reports whether a read was answered with 404, whatever that means.
func is404(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.StatusCode == http.StatusNotFound
}

// isNotFound reports whether it is known that what was asked for is not there.
func isNotFound(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Reason == NotFound
}
