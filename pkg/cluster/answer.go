package cluster

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/clusterfleet/clusterfleet/internal/safetext"
)

// judge returns what an answer's status says about the call, nil for 2xx. The body, which may be nil, is read for the
// server's own words.
func judge(resp *http.Response, body []byte) *Error {
	status := resp.StatusCode
	if status >= 200 && status < 300 {
		return nil
	}
	e := NewError(reasonOf(status), PhaseBody, fmt.Sprintf("the server answered %d%s", status, serverWords(body)), nil)
	e.StatusCode = status
	switch e.Reason {
	case Redirected:
		e.Message = safetext.Clean(fmt.Sprintf("the server answered %d and redirects to %s", status, redirectTarget(resp)))
		e.cause = errRedirect
	case Throttled, ServerError:
		e.RetryAfter = retryAfter(resp.Header)
	default:
	}
	return e
}

// NewStatusError returns the error that a Kubernetes Status with this code and message stands for.
func NewStatusError(code int, message string) *Error {
	e := NewError(reasonOf(code), PhaseBody, fmt.Sprintf("the server answered %d: %s", code, message), nil)
	e.StatusCode = code
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
	case status >= 400 && status < 500:
		return InvalidRequest
	case status >= 500 && status < 600:
		return ServerError
	}
	return MalformedResponse
}

// redirectTarget returns host of where a redirect leads: the rest may carry credentials.
func redirectTarget(resp *http.Response) string {
	target, err := resp.Location()
	if err != nil {
		return "nowhere"
	}
	return fmt.Sprintf("%s://%s", target.Scheme, target.Host)
}

// serverWords returns the message of a Kubernetes Status, or nothing.
func serverWords(body []byte) string {
	var status struct {
		Kind    string `json:"kind"`
		Message string `json:"message"`
	}
	if json.Unmarshal(body, &status) != nil || status.Kind != "Status" || status.Message == "" {
		return ""
	}
	return ": " + status.Message
}

// bodyOf returns the body of a probe's answer, which the wire has read already.
func bodyOf(resp *http.Response) []byte {
	if resp.Body == nil {
		return nil
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil
	}
	return body
}
