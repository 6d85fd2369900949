package manifest

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/clusterfleet/clusterfleet/internal/safetext"
)

// The ways in which a body can be bad. What a reader returns wraps one of them and says where and why, in at most 1 KiB
// of text that is fit for logs and terminals. Errors of the body's Read are none of them: they are returned as they are.
// Only one that wraps io.EOF comes as io.ErrUnexpectedEOF with the same text, so that io.EOF always means that all is
// well.
var (
	// ErrMalformed says that the body is not what an API server sends: not JSON, cut off, nested too deep, invalid
	// UTF-8, a member name twice where the package reads members, not a Kubernetes object or not the kind that was asked
	// for.
	ErrMalformed = errors.New("malformed body")
	// ErrTooLarge says that one item, or what stands beside the items, exceeds Options.MaxItemBytes.
	ErrTooLarge = errors.New("body too large")
	// ErrEndless says that the pages of a list do not come to an end.
	ErrEndless = errors.New("endless list")
	// ErrExpired says that a list could not be read to its end because its continue tokens expired again and again.
	ErrExpired = errors.New("expired list")
)

var (
	errOverLimit = errors.New("read limit reached")
	errClosed    = errors.New("manifest: the reader is closed")
)

// bodyError is one of the errors above with a text of its own.
type bodyError struct {
	kind error
	text string
}

func (e *bodyError) Error() string { return e.text }
func (e *bodyError) Unwrap() error { return e.kind }

func malformed(at int64, format string, args ...any) error {
	return newBodyError(ErrMalformed, at, fmt.Sprintf(format, args...))
}

func tooLarge(at int64, format string, args ...any) error {
	return newBodyError(ErrTooLarge, at, fmt.Sprintf(format, args...))
}

func newBodyError(kind error, at int64, text string) error {
	return &bodyError{kind, safetext.Clean(fmt.Sprintf("%v at byte %d: %s", kind, at, text))}
}

// StatusError is a metav1.Status with status Failure: the API server's own account of why there is no object. Reason and
// Message are fit for logs and terminals.
type StatusError struct {
	// Code is the HTTP status code, as the body has it.
	Code int32
	// Reason is the machine-readable reason, such as NotFound or Expired.
	Reason string
	// Message is the text for people. It is the server's and may name objects.
	Message string
	// RetryAfter is how long the server asks to wait, 0 when it does not say. It is not bounded.
	RetryAfter time.Duration
	// Continue is the token by which a list goes on whose own token has expired, where the server gives one.
	Continue string
}

// Error returns the message and, where there is one, the reason.
func (e *StatusError) Error() string {
	switch {
	case e.Message == "" && e.Reason == "":
		return fmt.Sprintf("the API server answered with status code %d", e.Code)
	case e.Message == "":
		return e.Reason
	case e.Reason == "":
		return e.Message
	}
	return fmt.Sprintf("%s (%s)", e.Message, e.Reason)
}

// failureStatus returns the *StatusError that a Status says, or nil where it says success.
func failureStatus(object []byte, at int64) error {
	var status struct {
		Status  string `json:"status"`
		Reason  string `json:"reason"`
		Message string `json:"message"`
		Code    int32  `json:"code"`
		Details struct {
			RetryAfterSeconds int64 `json:"retryAfterSeconds"`
		} `json:"details"`
		Metadata struct {
			Continue string `json:"continue"`
		} `json:"metadata"`
	}
	if err := json.Unmarshal(object, &status); err != nil {
		return malformed(at, "a Status whose members have other types than Kubernetes gives them")
	}
	if status.Status != "Failure" {
		return nil
	}
	return &StatusError{
		Code:       status.Code,
		Reason:     safetext.Truncate(status.Reason, 256),
		Message:    safetext.Clean(status.Message),
		RetryAfter: time.Duration(min(max(status.Details.RetryAfterSeconds, 0), math.MaxInt32)) * time.Second,
		Continue:   status.Metadata.Continue,
	}
}
