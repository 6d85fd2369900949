package cluster

import (
	"encoding/json"
	"errors"
	"net/http"
)

// expiredError is the cause of an *Error that says that a continue token has expired.
type expiredError struct{ fresh string }

func (*expiredError) Error() string { return "the continue token has expired" }

// Expired reports whether a read failed because its continue token has expired, and returns the token by which the server
// lets the list go on all the same, with objects as they are by now; empty where it gives none.
func Expired(err error) (fresh string, expired bool) {
	e, expired := errors.AsType[*expiredError](err)
	if !expired {
		return "", false
	}
	return e.fresh, true
}

// expire makes the error one of an expired token, if the server's words to a page that was asked for by a token mean that.
func (e *Error) expire(words []byte) {
	if e.StatusCode != http.StatusGone {
		return
	}
	var status struct {
		Metadata struct {
			Continue string `json:"continue"`
		} `json:"metadata"`
	}
	_ = json.Unmarshal(words, &status) // without a token, the list has to be begun anew
	e.cause = &expiredError{status.Metadata.Continue}
}
