package simulator

import (
	"context"
	"crypto/sha256"
	"io"
	"net/http"
	"strings"
	"time"
)

// exchange is one request and the way to its answer. Functions that answer return an error when the answer did not
// reach the client, and nothing else.
type exchange struct {
	w       http.ResponseWriter
	r       *http.Request
	conn    *conn
	cluster *cluster
	fleet   *Fleet
	body    []byte // of the request
}

// handle is the HTTP handler of all clusters. An answer that did not reach its client breaks off: returning would have
// net/http end it well, and a client over HTTP/1.1 that is just closing its connection could still take it for one.
func (f *Fleet) handle(w http.ResponseWriter, r *http.Request) {
	c, ok := r.Context().Value(connKey{}).(*conn)
	if !ok || !f.requests.enter() {
		return
	}
	defer f.requests.leave()
	t := &c.cluster.traffic
	f.stats.begin(t)
	defer f.stats.end(t)
	x := &exchange{w: w, r: r, conn: c, cluster: c.cluster, fleet: f}
	x.readBody()
	err := x.answer(r.Context())
	if err != nil && !c.severed.Load() {
		f.stats.countAbort(t, time.Now())
	}
	if err != nil {
		panic(http.ErrAbortHandler)
	}
}

// maxBodyBytes bounds what is read of a request; a review is a few hundred bytes.
const maxBodyBytes = 64 << 10

// readBody reads the request before anything waits: net/http looks out for a client that leaves only after that. What
// cannot be read is missed by whoever decodes it.
func (x *exchange) readBody() {
	if x.r.ContentLength != 0 {
		x.body, _ = io.ReadAll(http.MaxBytesReader(x.w, x.r.Body, maxBodyBytes))
	}
}

// answer waits for as long as the cluster takes, and lets the first fault answer that wants to.
func (x *exchange) answer(ctx context.Context) error {
	faults := x.cluster.faults.Load()
	if err := x.cluster.wait(ctx, x.latency(faults)); err != nil {
		return err
	}
	if faults != nil {
		for _, fault := range faults.answers {
			if !fault.covers(x.r.URL.Path) {
				continue
			}
			if shown, err := fault.show(ctx, x, &fault.Fault); shown {
				return err
			}
		}
	}
	return x.route()
}

// latency is the cluster's own, or that of a fault.
func (x *exchange) latency(faults *faultSet) *Latency {
	if faults != nil {
		for _, fault := range faults.answers {
			if fault.Kind == Slow && fault.covers(x.r.URL.Path) {
				return &fault.Latency
			}
		}
	}
	return x.cluster.latency
}

// identity is who asks, as far as the credentials of a request tell.
type identity int

const (
	anonymous identity = iota // no credentials
	owner                     // the cluster's own
	impostor                  // any others: 401, even where the anonymous may read
)

func (x *exchange) identify() identity {
	if peer := peerCertificate(x.r.TLS); peer != nil {
		if sha256.Sum256(peer.Raw) == x.cluster.credential.fingerprint {
			return owner
		}
		return impostor
	}
	authorization := x.r.Header["Authorization"]
	switch {
	case len(authorization) == 0:
		return anonymous
	case x.cluster.credential.bearer != "" && authorization[0] == x.cluster.credential.bearer:
		return owner
	default:
		return impostor
	}
}

// route answers as a healthy API server does.
func (x *exchange) route() error {
	who := x.identify()
	if who == impostor {
		return x.status(unauthorizedStatus())
	}
	path := x.r.URL.Path
	if name, rest, ok := healthPath(path); ok {
		return x.health(name, rest, nil)
	}
	if path == "/version" || path == "/version/" {
		return x.reply(http.StatusOK, jsonType, x.fleet.catalogue.version)
	}
	if who == anonymous {
		return x.status(forbiddenStatus("system:anonymous", parseTarget(x.r), path))
	}
	switch path {
	case selfSubjectReviews:
		return x.selfSubjectReview()
	case selfSubjectAccessReviews:
		return x.selfSubjectAccessReview(true)
	}
	if shown, err := x.discovery(x.cluster.catalogue.discovery, path); shown {
		return err
	}
	if target, ok := parseTarget(x.r).in(x.cluster.catalogue); ok {
		return x.resource(target)
	}
	return x.notFound()
}

func (c *cluster) userName() string { return c.name + "-admin" }

// userGroup is what the user of a client certificate is a member of, and of a token for symmetry.
const userGroup = "fleetsim:admins"

// healthPath splits /readyz and /readyz/etcd into the endpoint and the check.
func healthPath(path string) (name, check string, ok bool) {
	name, check, _ = strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch name {
	case "readyz", "livez", "healthz":
		return name, check, true
	}
	return "", "", false
}
