package cluster

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"

	"github.com/clusterfleet/clusterfleet/internal/safetext"
)

// readyPaths are the readiness endpoints, the best first. Older servers, and those that hide some, have the later ones.
var readyPaths = [...]string{"/readyz", "/livez", "/healthz"} //nolint:gochecknoglobals // a constant

const (
	maxFailingChecks  = 32
	maxCheckNameBytes = 64
)

// judgeReady returns why an answer does not say that the cluster is ready, nil if it does, and the checks it names as
// failing.
func judgeReady(path string, resp *http.Response, body []byte) (*Error, []string) {
	if resp.StatusCode == http.StatusOK {
		if string(bytes.TrimSpace(body)) == "ok" {
			return nil, nil
		}
		e := NewError(MalformedResponse, PhaseBody, fmt.Sprintf("%s was answered with 200, but not with ok", path), nil)
		e.StatusCode = resp.StatusCode
		return e, nil
	}
	e := judge(resp, body)
	if e == nil {
		e = NewError(MalformedResponse, PhaseBody, fmt.Sprintf("%s was answered with %d", path, resp.StatusCode), nil)
		e.StatusCode = resp.StatusCode
		return e, nil
	}
	if e.Reason != ServerError {
		return e, nil
	}
	failing := failingChecks(body)
	if len(failing) == 0 {
		return e, nil
	}
	e.Reason = NotReady
	e.Message = safetext.Clean("the server is not ready: " + strings.Join(failing, ", ") + " failed")
	return e, failing
}

// failingChecks returns the names in lines such as "[-]etcd failed: reason withheld".
func failingChecks(body []byte) []string {
	var names []string
	for line := range bytes.Lines(body) {
		rest, found := bytes.CutPrefix(line, []byte("[-]"))
		if !found || len(names) == maxFailingChecks {
			continue
		}
		name, _, _ := bytes.Cut(bytes.TrimSpace(rest), []byte(" "))
		names = append(names, safetext.Truncate(string(name), maxCheckNameBytes))
	}
	return names
}
