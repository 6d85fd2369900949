package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The values of Content-Type.
const (
	jsonType      = "application/json"
	textType      = "text/plain; charset=utf-8"
	htmlType      = "text/html; charset=utf-8"
	discoveryType = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
)

// reply sends an answer that is all there. Its pieces are written one after the other, so that large ones that clusters
// share are never copied.
func (x *exchange) reply(code int, contentType string, pieces ...[]byte) error {
	size := 0
	for _, piece := range pieces {
		size += len(piece)
	}
	x.head(code, contentType)
	if size > 1024 { // smaller ones get their length from net/http
		x.w.Header()["Content-Length"] = []string{strconv.Itoa(size)}
	}
	if code != http.StatusOK {
		x.w.WriteHeader(code)
	}
	if x.r.Method == http.MethodHead {
		return nil
	}
	for _, piece := range pieces {
		if _, err := x.w.Write(piece); err != nil {
			return err
		}
	}
	return nil
}

// head sets the headers that every answer has.
func (x *exchange) head(code int, contentType string) {
	h := x.w.Header()
	h["Content-Type"] = []string{contentType}
	h["Cache-Control"] = []string{"no-cache, private"}
	if code != http.StatusOK || contentType == textType {
		h["X-Content-Type-Options"] = []string{"nosniff"}
	}
}

// text sends a line for people.
func (x *exchange) text(code int, text string) error { return x.reply(code, textType, []byte(text)) }

// notFound is how API servers answer for paths that mean nothing to them.
func (x *exchange) notFound() error {
	return x.text(http.StatusNotFound, "404 page not found\n")
}

// status sends a metav1.Status, the form in which API servers tell what went wrong.
func (x *exchange) status(s *metav1.Status) error {
	body, err := json.Marshal(s)
	if err != nil { // a Status holds nothing that cannot be marshalled
		return x.text(http.StatusInternalServerError, err.Error())
	}
	return x.reply(int(s.Code), jsonType, append(body, '\n'))
}

func failure(code int32, reason metav1.StatusReason, message string) *metav1.Status {
	return &metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"},
		Status:   metav1.StatusFailure,
		Message:  message,
		Reason:   reason,
		Code:     code,
	}
}

func unauthorizedStatus() *metav1.Status {
	return failure(http.StatusUnauthorized, metav1.StatusReasonUnauthorized, "Unauthorized")
}

func badRequest(format string, args ...any) *metav1.Status {
	return failure(http.StatusBadRequest, metav1.StatusReasonBadRequest, fmt.Sprintf(format, args...))
}

// forbiddenStatus is what the RBAC authorizer says of user and the target, or of the path if there is no target.
func forbiddenStatus(user string, t target, path string) *metav1.Status {
	if t.resource == "" {
		return failure(http.StatusForbidden, metav1.StatusReasonForbidden,
			fmt.Sprintf("forbidden: User %q cannot %s path %q", user, t.verb, path))
	}
	scope := "at the cluster scope"
	if t.namespace != "" {
		scope = fmt.Sprintf("in the namespace %q", t.namespace)
	}
	subject := t.resource
	if t.group != "" {
		subject += "." + t.group
	}
	if t.name != "" {
		subject += fmt.Sprintf(" %q", t.name)
	}
	s := failure(http.StatusForbidden, metav1.StatusReasonForbidden,
		fmt.Sprintf("%s is forbidden: User %q cannot %s resource %q in API group %q %s",
			subject, user, t.verb, t.resource, t.group, scope))
	s.Details = &metav1.StatusDetails{Name: t.name, Group: t.group, Kind: t.resource}
	return s
}

func notFoundStatus(t target) *metav1.Status {
	subject := t.resource
	if t.group != "" {
		subject += "." + t.group
	}
	s := failure(http.StatusNotFound, metav1.StatusReasonNotFound, fmt.Sprintf("%s %q not found", subject, t.name))
	s.Details = &metav1.StatusDetails{Name: t.name, Group: t.group, Kind: t.resource}
	return s
}
