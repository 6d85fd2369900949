package cluster

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/safetext"
)

const (
	selfSubjectReviews       = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
	selfSubjectAccessReviews = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
	selfSubjectReview        = `{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}`
	anonymousUser            = "system:anonymous"
	maxVersionBytes          = 64
	maxUsernameBytes         = 256
)

// full makes all checks and returns the first failure.
func (p *prober) full(ctx context.Context) *Error {
	failure, header := p.ready(ctx)
	p.readExpiries()
	if header == nil {
		return failure
	}
	p.readClock(header)
	if failure != nil && failure.Reason == Unauthenticated {
		p.rejected(failure)
		return failure
	}
	version, versionFailure := p.version(ctx)
	username, authnFailure := p.authenticate(ctx)
	p.remember(version, username)
	authzFailure := p.authorize(ctx, authnFailure)
	for _, next := range []*Error{versionFailure, authnFailure, authzFailure} {
		if failure == nil {
			failure = next
		}
	}
	return failure
}

// remember keeps what the cluster said of itself, and what it said before where it said nothing now.
func (p *prober) remember(version, username string) {
	known := p.facts.get()
	p.facts.Store(&facts{version: cmp.Or(version, known.version), username: cmp.Or(username, known.username)})
}

// rejected records the checks of a server that does not even tell its readiness to an invalid credential.
func (p *prober) rejected(failure *Error) {
	checks := p.verdict.Checks
	checks[len(checks)-1] = skipped(CheckReady, "the credential was rejected first")
	p.verdict.Checks = append(checks,
		skipped(CheckVersion, "the credential was rejected first"),
		failed(CheckAuthn, 0, 0, failure),
		skipped(CheckAuthz, "not authenticated"))
}

// ask makes one check by one request and decodes its answer into result. It returns the request as it was sent, whose
// credential the strings in the result may repeat; nil if there was no answer.
func (p *prober) ask(kind CheckKind, req *http.Request, result any) (*http.Request, *Error) {
	start := time.Now()
	resp, err := p.send(req)
	took := time.Since(start)
	var failure *Error
	if err != nil {
		failure = Classify(err, p.trace.at())
	} else if failure = p.explainRejected(judge(resp, contentOf(resp)), resp.Request); failure == nil {
		failure = decode(req.URL.Path, resp, result)
	} else if failure.Reason == InvalidRequest {
		failure = strange(failure, fmt.Sprintf("%s was answered with %d", req.URL.Path, failure.StatusCode))
	}
	check := Check{Kind: kind, Outcome: Passed, Duration: took, FirstByte: p.trace.firstByte}
	if failure != nil {
		check = failed(kind, took, 0, failure)
	}
	p.verdict.Checks = append(p.verdict.Checks, check)
	if resp == nil {
		return nil, failure
	}
	return resp.Request, failure
}

func decode(path string, resp *http.Response, result any) *Error {
	err := json.Unmarshal(contentOf(resp), result)
	if err == nil {
		return nil
	}
	e := NewError(MalformedResponse, PhaseBody, path+" was answered with what is not the expected JSON", err)
	e.StatusCode = resp.StatusCode
	return e
}

// amend replaces the outcome of the last check.
func (p *prober) amend(change func(*Check)) { change(&p.verdict.Checks[len(p.verdict.Checks)-1]) }

// skip turns the failure of the last check into none: the server does not offer what was asked.
func (p *prober) skip(why string) {
	p.amend(func(c *Check) { c.Outcome, c.Reason, c.Message = Skipped, "", why })
}

func (p *prober) fail(failure *Error) *Error {
	p.amend(func(c *Check) { c.Outcome, c.Reason, c.Message = Failed, failure.Reason, failure.Message })
	return failure
}

func (p *prober) version(ctx context.Context) (string, *Error) {
	var info struct {
		GitVersion string `json:"gitVersion"`
	}
	sent, failure := p.ask(CheckVersion, p.requests.get(ctx, "/version", ""), &info)
	if hidden(failure) {
		p.skip("the server does not tell its version")
		return "", nil
	}
	return safetext.Truncate(concealIn(info.GitVersion, sent), maxVersionBytes), failure
}

func (p *prober) authenticate(ctx context.Context) (string, *Error) {
	var review struct {
		Status struct {
			UserInfo struct {
				Username string `json:"username"`
			} `json:"userInfo"`
		} `json:"status"`
	}
	sent, failure := p.ask(CheckAuthn, p.requests.post(ctx, selfSubjectReviews, selfSubjectReview), &review)
	username := safetext.Truncate(concealIn(review.Status.UserInfo.Username, sent), maxUsernameBytes)
	switch {
	case failure != nil && failure.Reason == NotFound:
		p.skip("the server does not offer SelfSubjectReview: it is older than Kubernetes 1.28")
		return "", nil
	case failure != nil && failure.Reason == Forbidden && p.definition.Credential() == Anonymous:
		return "", p.fail(NewError(Unauthenticated, PhaseBody, "the context has no credential, and the server serves nobody without one", failure))
	case failure != nil:
		return "", failure
	case username == "":
		return "", p.fail(NewError(MalformedResponse, PhaseBody, "the SelfSubjectReview names no user", nil))
	case username == anonymousUser:
		return username, p.fail(NewError(Unauthenticated, PhaseBody, "the server takes us for "+anonymousUser, nil))
	}
	return username, nil
}

// authorize asks whether the credential may list pods where its context points. A user of one namespace passes if the
// context names that namespace.
func (p *prober) authorize(ctx context.Context, authn *Error) *Error {
	if authn != nil && authn.Reason == Unauthenticated {
		p.verdict.Checks = append(p.verdict.Checks, skipped(CheckAuthz, "not authenticated"))
		return nil
	}
	var review struct {
		Status *struct {
			Allowed bool `json:"allowed"`
		} `json:"status"`
	}
	namespace := p.definition.Namespace
	_, failure := p.ask(CheckAuthz, p.requests.post(ctx, selfSubjectAccessReviews, accessReview(namespace)), &review)
	switch {
	case failure != nil && failure.Reason == NotFound:
		return p.fail(strange(failure, "the server does not offer SelfSubjectAccessReview"))
	case failure != nil:
		return failure
	case review.Status == nil:
		return p.fail(NewError(MalformedResponse, PhaseBody, "the SelfSubjectAccessReview has no status", nil))
	case !review.Status.Allowed:
		return p.fail(NewError(Forbidden, PhaseBody, "the credential may not list pods in "+where(namespace), nil))
	}
	return nil
}

func where(namespace string) string {
	if namespace == "" {
		return "all namespaces"
	}
	return "namespace " + namespace
}

func accessReview(namespace string) string {
	quoted, _ := json.Marshal(namespace) //nolint:errchkjson // a string
	return `{"apiVersion":"authorization.k8s.io/v1","kind":"SelfSubjectAccessReview","spec":{"resourceAttributes":{"namespace":` +
		string(quoted) + `,"verb":"list","resource":"pods"}}}`
}

// readClock compares the Date header, which has whole seconds, with our clock.
func (p *prober) readClock(header http.Header) {
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return
	}
	p.verdict.ClockKnown = true
	p.verdict.ClockSkew = date.Add(500 * time.Millisecond).Sub(time.Now().Add(-p.trace.firstByte / 2))
}
