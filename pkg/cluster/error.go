package cluster

import (
	"cmp"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/safetext"
)

// maxRetryAfter bounds what a server may ask its callers to wait.
const maxRetryAfter = 60 * time.Second

// Error is the failure of one call to one cluster. Its text is safe for any caller: no credential, no control
// characters, at most 1 KiB. The cause, for logs and errors.As, is not part of the text.
type Error struct {
	Reason Reason
	// Phase is where the call ended.
	Phase Phase
	// Blame is whose fault it is.
	Blame Blame
	// Message says what happened, as a phrase without the cluster's name.
	Message string
	// StatusCode is the HTTP status, 0 if none was received.
	StatusCode int
	// RetryAfter is the wait that the server asked for, at most a minute; 0 if it asked for none.
	RetryAfter time.Duration

	cause error
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// Hint says what to do about it, empty if nothing can be done.
func (e *Error) Hint() string { return e.Reason.meaning().hint }

// NewError returns an error of the given reason with that reason's usual blame. The message is made safe to show.
func NewError(reason Reason, phase Phase, message string, cause error) *Error {
	return &Error{
		Reason:  reason,
		Phase:   phase,
		Blame:   reason.meaning().blame,
		Message: cmp.Or(safetext.Clean(message), "there is no more to be said of it"),
		cause:   cause,
	}
}
