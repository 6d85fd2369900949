package manifest

import (
	"errors"
	"fmt"
	"net/http"
)

const (
	// maxRestarts is how often a list is begun anew because its continue token has expired.
	maxRestarts = 3
	// maxExpiries is how many tokens may expire in a row without an item between them.
	maxExpiries = 3
)

// ExpiredError is what an Opener returns for a continue token that has expired (410).
type ExpiredError struct {
	// Continue is the token by which the server lets the list go on all the same, with objects as they are by now; empty
	// where it gives none.
	Continue string
	// Err says what happened.
	Err error
}

// Error says what happened.
func (e *ExpiredError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *ExpiredError) Unwrap() error { return e.Err }

// expired tells whether an error means that the token of a page has expired, be it the Opener's or a Status in place of the
// page, and returns the token by which the list can go on, if there is one.
func expired(err error) (fresh string, ok bool) {
	if e, ok := errors.AsType[*ExpiredError](err); ok {
		return e.Continue, true
	}
	if e, ok := errors.AsType[*StatusError](err); ok && (e.Code == http.StatusGone || e.Reason == "Expired") {
		return e.Continue, true
	}
	return "", false
}

// resume returns the token by which a list goes on whose token has expired: the server's own, or none to begin anew. Of a
// list that is begun anew, what stands up to the last item is skipped; that can be told of a list in order only.
func (p *Pager[T]) resume(err error) (string, error) {
	fresh, ok := expired(err)
	if !ok {
		return "", err
	}
	p.expiries++
	switch {
	case p.expiries > maxExpiries:
		return "", p.expiredError("and so have those that followed")
	case fresh != "":
	case p.unordered:
		return "", p.expiredError("and it cannot be begun anew, because the server does not send it in order")
	case p.restarts == maxRestarts:
		return "", p.expiredError(fmt.Sprintf("also after it was begun anew %d times", maxRestarts))
	default:
		p.restart()
	}
	p.inconsistent = p.items > 0
	return fresh, nil
}

func (p *Pager[T]) restart() {
	p.restarts++
	if p.begun && (!p.skipping || p.skipTo.compare(p.at) < 0) {
		p.skipping, p.skipTo = true, p.at
	}
	p.begun = false
	clear(p.seen) // the tokens of another list
}

// pass notes that the item at k was read, and reports whether it is to be skipped because it came before the list was begun
// anew. An item that is not behind all before it brings the list no closer to its end.
func (p *Pager[T]) pass(k key) (skip bool) {
	if p.items == 0 {
		p.first = k
	}
	if p.begun && k.compare(p.at) <= 0 {
		p.unordered = true
	} else {
		p.at, p.begun = k, true
		p.empty, p.expiries = 0, 0
	}
	return p.skipping && k.compare(p.skipTo) <= 0
}

func (p *Pager[T]) expiredError(why string) error {
	return &bodyError{ErrExpired, fmt.Sprintf("the list changed while it was read: its continue token expired, %s; %d items had been read", why, p.items)}
}
