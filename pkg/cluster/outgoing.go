package cluster

import "net/http"

// outgoing is what a call sends: a request, or a readiness request of which nothing is made but what goes over the wire.
// That is all that a usual quick probe needs.
type outgoing struct {
	made     *http.Request // nil: the readiness request
	requests *requests
	path     int // of readyPaths
}

// lean reports whether no request has been made, so that nobody stands between the prober and the wire.
func (o outgoing) lean() bool { return o.made == nil }

// request returns the request. The one that is made here has no context: that of the call goes beside it.
func (o outgoing) request() *http.Request {
	if o.lean() {
		req := o.requests.bare(probing, readyPaths[o.path], "", mediaJSON)
		return &req
	}
	return o.made
}

// appendTo appends the request as it goes over the wire.
func (o outgoing) appendTo(b []byte) ([]byte, error) {
	if o.lean() {
		return o.requests.appendReady(b, o.path), nil
	}
	return appendRequest(b, o.made)
}

// harmless reports whether the request may be sent again where it is not known whether the server has seen it.
func (o outgoing) harmless() bool { return o.lean() || o.made.Method == http.MethodGet }

// conceal returns the error with a text that does not repeat the credential.
func (o outgoing) conceal(err error) error {
	if err == nil {
		return nil
	}
	return conceal(err, o.request())
}
