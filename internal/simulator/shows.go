package simulator

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// leave is the responder of faults that are shown elsewhere.
func leave(context.Context, *exchange, *Fault) (bool, error) { return false, nil }

func hang(ctx context.Context, _ *exchange, _ *Fault) (bool, error) {
	<-ctx.Done()
	return true, ctx.Err()
}

func unauthorized(_ context.Context, x *exchange, _ *Fault) (bool, error) {
	return true, x.status(unauthorizedStatus())
}

func forbidden(_ context.Context, x *exchange, _ *Fault) (bool, error) {
	return true, x.status(forbiddenStatus(x.cluster.userName(), parseTarget(x.r), x.r.URL.Path))
}

func notFound(_ context.Context, x *exchange, _ *Fault) (bool, error) { return true, x.notFound() }

// clockSkew tells a wrong time and leaves the rest of the answer as it is.
func clockSkew(_ context.Context, x *exchange, f *Fault) (bool, error) {
	x.w.Header()["Date"] = []string{time.Now().Add(f.Offset).UTC().Format(http.TimeFormat)}
	return false, nil
}

// permissionDenied is what a user of a cluster sees who has no role in it: credentials that are good for nothing.
func permissionDenied(ctx context.Context, x *exchange, f *Fault) (bool, error) {
	if x.identify() != owner {
		return false, nil
	}
	path := x.r.URL.Path
	if path == selfSubjectAccessReviews {
		return true, x.selfSubjectAccessReview(false)
	}
	if _, isResource := parseTarget(x.r).in(x.cluster.catalogue); isResource {
		return forbidden(ctx, x, f)
	}
	return false, nil
}

func authFails(ctx context.Context, x *exchange, f *Fault) (bool, error) {
	if x.r.URL.Path != selfSubjectReviews {
		return false, nil
	}
	return unauthorized(ctx, x, f)
}

// throttle answers as the priority and fairness filter of kube-apiserver does.
func throttle(_ context.Context, x *exchange, f *Fault) (bool, error) {
	x.w.Header()["Retry-After"] = []string{strconv.Itoa(f.RetryAfter)}
	return true, x.text(http.StatusTooManyRequests, "Too many requests, please try again later.\n")
}

func error500(_ context.Context, x *exchange, _ *Fault) (bool, error) {
	return true, x.status(failure(http.StatusInternalServerError, metav1.StatusReasonInternalError,
		"Internal error occurred: simulated by fleetsim"))
}

func error503(_ context.Context, x *exchange, f *Fault) (bool, error) {
	if f.RetryAfter > 0 {
		x.w.Header()["Retry-After"] = []string{strconv.Itoa(f.RetryAfter)}
	}
	return true, x.status(failure(http.StatusServiceUnavailable, metav1.StatusReasonServiceUnavailable,
		"the server is currently unable to handle the request"))
}

// notReady fails readiness; liveness only when a path of the fault says so, as the server is alive.
func notReady(_ context.Context, x *exchange, f *Fault) (bool, error) {
	name, check, ok := healthPath(x.r.URL.Path)
	if !ok || name == "livez" && len(f.Paths) == 0 || x.identify() == impostor {
		return false, nil
	}
	return true, x.health(name, check, f.Checks)
}

// endlessContinue serves the first page for ever, each time with a token that was never seen before.
func endlessContinue(_ context.Context, x *exchange, _ *Fault) (bool, error) {
	t, ok := parseTarget(x.r).in(x.cluster.catalogue)
	if !ok || t.verb != "list" || x.identify() != owner {
		return false, nil
	}
	first := t.shelf.within(t.namespace)
	if limit, err := strconv.Atoi(t.query.Get("limit")); err == nil && limit > 0 {
		first.to = min(first.to, first.from+limit)
	}
	next := formatContinue(first.from, x.cluster.traffic.pages.Add(1))
	return true, x.list(t, asObject, page{spans: []span{first}, next: next, remaining: -1})
}

// freshSalt marks the tokens that ExpiredContinue gives.
const freshSalt = -1

// expiredContinue answers as kube-apiserver does when etcd has compacted the version of a list: 410, with a token by which
// the list goes on in another version. Aggregated API servers may give none.
func expiredContinue(_ context.Context, x *exchange, f *Fault) (bool, error) {
	t, ok := parseTarget(x.r).in(x.cluster.catalogue)
	token := t.query.Get("continue")
	if !ok || t.verb != "list" || token == "" {
		return false, nil
	}
	next, salt, err := parseContinue(token)
	if f.Fresh && salt == freshSalt || f.Times > 0 && x.cluster.traffic.expired.Add(1) > int64(f.Times) {
		return false, nil
	}
	expired := failure(http.StatusGone, metav1.StatusReasonExpired,
		"The provided continue parameter is too old to display a consistent list result.")
	if f.Fresh && err == nil {
		expired.Continue = formatContinue(next, freshSalt)
	}
	return true, x.status(expired)
}

const loginPage = `<!DOCTYPE html>
<html><head><title>Sign in</title></head>
<body><form action="/login" method="post"><input name="user"><input name="password" type="password"></form></body></html>
`

func html(_ context.Context, x *exchange, _ *Fault) (bool, error) {
	return true, x.reply(http.StatusOK, htmlType, []byte(loginPage))
}

func redirect(_ context.Context, x *exchange, f *Fault) (bool, error) {
	x.w.Header()["Location"] = []string{f.Location}
	return true, x.reply(f.Status, htmlType, []byte("<a href=\"elsewhere\">elsewhere</a>\n"))
}

// hostile is a JSON string, without its quotes, that does harm to who prints it: terminal colours and a changed title,
// line breaks that forge log lines, text that runs backwards, and bytes that are no UTF-8.
const hostile = `\u001b[31mred\u001b]0;title\u0007\r\nforged: line\u2028` + "\u202egnp.exe\u202c \xff\xfe\xc0\xaf"

// hostileText puts it wherever a server may choose its words. Health stays as it is, so that somebody reads on.
func hostileText(_ context.Context, x *exchange, _ *Fault) (bool, error) {
	path := x.r.URL.Path
	if _, _, ok := healthPath(path); ok {
		return false, nil
	}
	switch path {
	case "/version":
		version := string(x.fleet.catalogue.version)
		return true, x.reply(http.StatusOK, jsonType, []byte(strings.ReplaceAll(version, kubernetesVersion, kubernetesVersion+hostile)))
	case selfSubjectReviews:
		return true, x.reply(http.StatusCreated, jsonType, fmt.Appendf(nil,
			`{"kind":"SelfSubjectReview","apiVersion":"authentication.k8s.io/v1","metadata":{},"status":{"userInfo":{"username":"%s"}}}`,
			hostile))
	}
	return true, x.reply(http.StatusInternalServerError, jsonType, fmt.Appendf(nil,
		`{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"%s","reason":"%s","code":500}`,
		hostile, hostile))
}
