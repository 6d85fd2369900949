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
func judgeReady(path string, resp *http.Response) (*Error, []string) {
	content := contentOf(resp)
	if resp.StatusCode == http.StatusOK && string(bytes.TrimSpace(content)) == "ok" {
		return nil, nil
	}
	e := judge(resp, content)
	if e == nil {
		e = &Error{Phase: PhaseBody, StatusCode: resp.StatusCode, Reason: InvalidRequest}
	}
	if e.Reason == InvalidRequest {
		return strange(e, fmt.Sprintf("%s was answered with %d, but not with ok", path, resp.StatusCode)), nil
	}
	if e.Reason != ServerError {
		return e, nil
	}
	failing := failingChecks([]byte(concealIn(string(content), resp.Request)))
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
		if name, _, _ := bytes.Cut(bytes.TrimSpace(rest), []byte(" ")); len(name) > 0 {
			names = append(names, safetext.Truncate(string(name), maxCheckNameBytes))
		}
	}
	return names
}
