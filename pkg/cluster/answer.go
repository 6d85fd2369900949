package cluster

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/safetext"
)

// judge returns what an answer's status says about the call, nil for 2xx. The content, which may be nil, is read for the
// server's own words.
func judge(resp *http.Response, content []byte) *Error {
	status := resp.StatusCode
	if status >= 200 && status < 300 {
		return nil
	}
	e := NewStatusError(status, concealIn(serverWords(content), resp.Request), 0)
	switch e.Reason {
	case Redirected:
		e.Message = safetext.Clean(fmt.Sprintf("the server answered %d and redirects to %s", status, redirectTarget(resp)))
		e.cause = errRedirect
	case Throttled, ServerError:
		e.RetryAfter = retryAfter(resp.Header, time.Now())
	default:
	}
	return e
}

// NewStatusError returns the error that a Kubernetes Status stands for, with this code and message, which may be empty, and
// this time after which it asks to be asked again. That is bounded here.
func NewStatusError(code int, message string, after time.Duration) *Error {
	text := fmt.Sprintf("the server answered %d", code)
	if message != "" {
		text += ": " + message
	}
	e := NewError(reasonOf(code), PhaseBody, text, nil)
	e.StatusCode = code
	e.RetryAfter = min(max(after, 0), maxRetryAfter)
	return e
}

func reasonOf(status int) Reason {
	switch {
	case status == http.StatusUnauthorized:
		return Unauthenticated
	case status == http.StatusForbidden:
		return Forbidden
	case status == http.StatusNotFound:
		return NotFound
	case status == http.StatusTooManyRequests:
		return Throttled
	case status >= 300 && status < 400:
		return Redirected
	case status == http.StatusRequestTimeout, status == http.StatusConflict, status == http.StatusGone:
		return ServerError // the same request may be answered the next time
	case status >= 400 && status < 500:
		return InvalidRequest
	case status >= 500 && status < 600:
		return ServerError
	}
	return MalformedResponse
}

// redirectTarget returns the host that a redirect leads to: the rest may carry credentials.
func redirectTarget(resp *http.Response) string {
	target, err := resp.Location()
	if err != nil || target.Host == "" {
		return "nowhere"
	}
	return concealIn(fmt.Sprintf("%s://%s", target.Scheme, target.Host), resp.Request)
}

// serverWords returns the message of a Kubernetes Status, or nothing.
func serverWords(content []byte) string {
	message, _ := readStatus(content)
	return message
}

// readStatus returns the message of a Kubernetes Status, which may be empty, and whether the content is one.
func readStatus(content []byte) (message string, ok bool) {
	var status struct {
		Kind    string `json:"kind"`
		Message string `json:"message"`
	}
	if json.Unmarshal(content, &status) != nil || status.Kind != "Status" {
		return "", false
	}
	return status.Message, true
}

// retryAfter returns the wait that an answer asks for, in seconds or until a date, bounded by maxRetryAfter.
func retryAfter(header http.Header, now time.Time) time.Duration {
	value := header.Get("Retry-After")
	if value == "" {
		return 0
	}
	if at, err := http.ParseTime(value); err == nil {
		if theirs, err := http.ParseTime(header.Get("Date")); err == nil {
			now = theirs // their clock may be another than ours
		}
		return min(max(at.Sub(now), 0), maxRetryAfter)
	}
	seconds := 0
	for _, c := range []byte(value) {
		if c < '0' || c > '9' {
			return 0
		}
		seconds = min(seconds*10+int(c-'0'), int(maxRetryAfter/time.Second))
	}
	return time.Duration(seconds) * time.Second
}
