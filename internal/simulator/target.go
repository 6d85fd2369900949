package simulator

import (
	"net/http"
	"net/url"
	"strings"
)

// target is what a request is about: group, version and resource, where and which, and the verb as RBAC calls it. The
// zero resource is a path that is about no resource.
type target struct {
	group, version, resource string
	namespace, name          string
	verb                     string
	query                    url.Values
	shelf                    *shelf // set by in
}

// parseTarget reads /api/v1/… and /apis/GROUP/VERSION/…; subresources are no targets.
func parseTarget(r *http.Request) target {
	t := target{verb: strings.ToLower(r.Method)}
	path := strings.Trim(r.URL.Path, "/")
	var rest string
	switch {
	case strings.HasPrefix(path, "api/"):
		t.version, rest, _ = strings.Cut(strings.TrimPrefix(path, "api/"), "/")
	case strings.HasPrefix(path, "apis/"):
		t.group, rest, _ = strings.Cut(strings.TrimPrefix(path, "apis/"), "/")
		t.version, rest, _ = strings.Cut(rest, "/")
	}
	if rest == "" {
		return t
	}
	parts := strings.Split(rest, "/")
	if parts[0] == "namespaces" && len(parts) > 2 {
		t.namespace, parts = parts[1], parts[2:]
	}
	if len(parts) > 2 {
		return t
	}
	t.resource = parts[0]
	if len(parts) == 2 {
		t.name = parts[1]
	}
	t.query = r.URL.Query()
	t.verb = verbOf(r.Method, t)
	return t
}

func verbOf(method string, t target) string {
	switch method {
	case http.MethodGet, http.MethodHead:
		if t.name != "" {
			return "get"
		}
		if watch := t.query.Get("watch"); watch == "true" || watch == "1" {
			return "watch"
		}
		return "list"
	case http.MethodPost:
		return "create"
	case http.MethodPut:
		return "update"
	default:
		return strings.ToLower(method)
	}
}

// in finds the target's shelf in the catalogue; false when there is no such resource, or not in a namespace.
func (t target) in(c *catalogue) (target, bool) {
	t.shelf = c.find(t.group, t.version, t.resource)
	if t.shelf == nil || t.namespace != "" && !t.shelf.namespaced {
		return t, false
	}
	if t.shelf.namespaced && t.name != "" && t.namespace == "" {
		return t, false // a name without its namespace
	}
	return t, true
}
