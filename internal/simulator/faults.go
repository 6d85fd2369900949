package simulator

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Kind names one way in which an API server is broken.
type Kind string

// The link faults: nobody gets through to the server.
const (
	Refuse    Kind = "refuse"    // nothing listens: ECONNREFUSED; existing connections are reset
	Blackhole Kind = "blackhole" // SYNs are dropped; existing connections go silent
)

// The connection faults: a connection is made, and goes wrong before the first request. Existing connections are
// closed when such a fault begins and when it ends, as by a server that restarts.
const (
	TLSExpired          Kind = "tls-expired"           // the serving certificate ended yesterday
	TLSWrongHost        Kind = "tls-wrong-host"        // the certificate is for another name
	TLSUnknownCA        Kind = "tls-unknown-ca"        // the certificate is signed by a stranger
	TLSGarbage          Kind = "tls-garbage"           // the server speaks, but not TLS
	TLSHugeSAN          Kind = "tls-huge-san"          // thousands of names in the certificate
	TLSBadConstraint    Kind = "tls-bad-constraint"    // the intermediate may not sign for this name
	TLSDSA              Kind = "tls-dsa"               // a certificate whose key is a DSA key
	H2ZeroFrameSize     Kind = "h2-zero-frame-size"    // SETTINGS_MAX_FRAME_SIZE 0
	H2GoAwayStorm       Kind = "h2-goaway-storm"       // GOAWAY after every first request
	H2ContinuationFlood Kind = "h2-continuation-flood" // headers that never end, in HTTP/2 frames
)

// The answer faults: a request is read, and not answered as it should be.
const (
	Hang             Kind = "hang"              // never answers
	Slow             Kind = "slow"              // answers after Latency
	Drip             Kind = "drip"              // one byte of the answer per Interval
	Unauthorized     Kind = "unauthorized"      // 401
	Forbidden        Kind = "forbidden"         // 403
	NotFound         Kind = "not-found"         // 404
	Throttle         Kind = "throttle"          // 429 with RetryAfter
	Error500         Kind = "error-500"         // 500
	Error503         Kind = "error-503"         // 503
	NotReady         Kind = "not-ready"         // readiness fails with the named Checks
	EndlessBody      Kind = "endless-body"      // a list that never ends
	EndlessHeaders   Kind = "endless-headers"   // headers that never end
	EndlessContinue  Kind = "endless-continue"  // every page of a list has a next page
	ExpiredContinue  Kind = "expired-continue"  // 410 to continue tokens
	HugeList         Kind = "huge-list"         // limit is ignored and Bytes are sent
	TruncatedJSON    Kind = "truncated-json"    // a body that stops in the middle
	DeepJSON         Kind = "deep-json"         // arrays nested Depth deep
	HTML             Kind = "html"              // 200 with a login page
	GzipBomb         Kind = "gzip-bomb"         // Bytes of JSON, compressed a thousandfold
	Redirect         Kind = "redirect"          // Status with Location
	Reset            Kind = "reset"             // RST after Bytes of an answer
	HostileText      Kind = "hostile-text"      // escape sequences, line breaks, bidi, invalid UTF-8 in texts
	ClockSkew        Kind = "clock-skew"        // the Date header is off by Offset
	AuthFails        Kind = "auth-fails"        // healthy, but SelfSubjectReview says 401
	PermissionDenied Kind = "permission-denied" // authenticated, but allowed to do nothing
	BrokenAPI        Kind = "broken-api"        // an APIService whose server is down
	ExtraType        Kind = "extra-type"        // a custom resource that the others do not have
	OldKubernetes    Kind = "old-kubernetes"    // a version that serves what later ones have removed
)

// Fault is a Kind with its parameters. Parameters that are zero take the default of their kind.
type Fault struct {
	Kind Kind
	// Paths limits an answer fault to requests whose path begins with one of them; empty is every path.
	Paths []string
	// Latency of Slow.
	Latency Latency
	// Interval of Drip; one second.
	Interval time.Duration
	// RetryAfter in seconds of Throttle (1) and Error503 (no header).
	RetryAfter int
	// Status of Redirect; 302.
	Status int
	// Location of Redirect; a path of the same server.
	Location string
	// Checks of NotReady; etcd.
	Checks []string
	// Bytes of HugeList (500 MB), GzipBomb (10 GiB, decompressed) and Reset (0).
	Bytes int64
	// Depth of DeepJSON; a million.
	Depth int
	// Offset of ClockSkew; ten minutes, and it may be negative.
	Offset time.Duration
	// Times is how many tokens ExpiredContinue refuses since it began; 0 is all of them.
	Times int
	// Fresh lets ExpiredContinue give tokens to go on by, which it accepts.
	Fresh bool
	// At says where Hang stops answering.
	At HangPoint
}

// HangPoint is a place where a server can stop answering.
type HangPoint string

// A server that hangs at the request has completed the TLS handshake; at the handshake it has only accepted the
// connection.
const (
	AtRequest   HangPoint = "request"
	AtHandshake HangPoint = "handshake"
)

// family says on which layer a fault is shown.
type family int

const (
	linkFault family = iota + 1
	connectionFault
	answerFault
)

// responder shows an answer fault to one request. It reports false when the fault leaves this request alone.
type responder func(context.Context, *exchange, *Fault) (shown bool, err error)

// greeter meets a connection instead of the HTTP server. It ends with the connection.
type greeter func(*Fleet, *conn)

// forger makes the chain that is served instead of the cluster's, from what the certificate should have been.
type forger func(*pki, *x509.Certificate) ([][]byte, error)

// trait is what is known of a kind. One of show, greet and forge shows it, unless it is a link fault.
type trait struct {
	family   family
	takes    []string     // the parameters it takes, as a scenario names them
	complete func(*Fault) // sets the defaults; nil when there are none
	show     responder
	greet    greeter
	forge    forger
}

func traits() map[Kind]trait {
	return map[Kind]trait{
		Refuse:    {family: linkFault},
		Blackhole: {family: linkFault},

		TLSExpired:          {family: connectionFault, forge: forgeExpired},
		TLSWrongHost:        {family: connectionFault, forge: forgeWrongHost},
		TLSUnknownCA:        {family: connectionFault, forge: forgeUnknownCA},
		TLSHugeSAN:          {family: connectionFault, forge: forgeHugeSAN},
		TLSBadConstraint:    {family: connectionFault, forge: forgeBadConstraint},
		TLSDSA:              {family: connectionFault, forge: forgeDSA},
		TLSGarbage:          {family: connectionFault, greet: greetWithGarbage},
		H2ZeroFrameSize:     {family: connectionFault, greet: greetH2(zeroFrameSize)},
		H2GoAwayStorm:       {family: connectionFault, greet: greetH2(goAwayStorm)},
		H2ContinuationFlood: {family: connectionFault, greet: greetH2(continuationFlood)},

		Hang:             {family: answerFault, takes: []string{"at"}, show: hang},
		Slow:             {family: answerFault, takes: []string{"latency"}, show: leave},
		Drip:             {family: answerFault, takes: []string{"interval"}, show: drip, complete: everySecond},
		Unauthorized:     {family: answerFault, show: unauthorized},
		Forbidden:        {family: answerFault, show: forbidden},
		NotFound:         {family: answerFault, show: notFound},
		Throttle:         {family: answerFault, takes: []string{"retryAfter"}, show: throttle, complete: retryInASecond},
		Error500:         {family: answerFault, show: error500},
		Error503:         {family: answerFault, takes: []string{"retryAfter"}, show: error503},
		NotReady:         {family: answerFault, takes: []string{"checks"}, show: notReady, complete: etcdFails},
		EndlessBody:      {family: answerFault, show: endlessBody},
		EndlessHeaders:   {family: answerFault, show: endlessHeaders},
		EndlessContinue:  {family: answerFault, show: endlessContinue},
		ExpiredContinue:  {family: answerFault, takes: []string{"times", "fresh"}, show: expiredContinue},
		HugeList:         {family: answerFault, takes: []string{"bytes"}, show: hugeList, complete: bytesOf(500_000_000)},
		TruncatedJSON:    {family: answerFault, show: truncatedJSON},
		DeepJSON:         {family: answerFault, takes: []string{"depth"}, show: deepJSON, complete: aMillionDeep},
		HTML:             {family: answerFault, show: html},
		GzipBomb:         {family: answerFault, takes: []string{"bytes"}, show: gzipBomb, complete: bytesOf(10 << 30)},
		Redirect:         {family: answerFault, takes: []string{"status", "location"}, show: redirect, complete: toSamePlace},
		Reset:            {family: answerFault, takes: []string{"bytes"}, show: reset},
		HostileText:      {family: answerFault, show: hostileText},
		ClockSkew:        {family: answerFault, takes: []string{"offset"}, show: clockSkew, complete: tenMinutesAhead},
		AuthFails:        {family: answerFault, show: authFails},
		PermissionDenied: {family: answerFault, show: permissionDenied},
		BrokenAPI:        {family: answerFault, show: brokenAPI},
		ExtraType:        {family: answerFault, show: extraType},
		OldKubernetes:    {family: answerFault, show: oldKubernetes},
	}
}

func everySecond(f *Fault)     { setDefault(&f.Interval, time.Second) }
func retryInASecond(f *Fault)  { setDefault(&f.RetryAfter, 1) }
func aMillionDeep(f *Fault)    { setDefault(&f.Depth, 1_000_000) }
func tenMinutesAhead(f *Fault) { setDefault(&f.Offset, 10*time.Minute) }

func bytesOf(n int64) func(*Fault) { return func(f *Fault) { setDefault(&f.Bytes, n) } }

func etcdFails(f *Fault) {
	if len(f.Checks) == 0 {
		f.Checks = []string{"etcd"}
	}
}

func toSamePlace(f *Fault) {
	setDefault(&f.Status, http.StatusFound)
	setDefault(&f.Location, "/redirected")
}

// Kinds lists every kind of fault, sorted.
func Kinds() []Kind {
	var kinds []Kind
	for kind := range traits() {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	return kinds
}

// check completes the fault with the defaults of its kind, or says what is wrong with it.
func (f Fault) check() (Fault, trait, error) {
	t, known := traits()[f.Kind]
	if !known {
		return f, t, fmt.Errorf("unknown fault %q; known are %s", f.Kind, joinKinds(Kinds()))
	}
	if f.At != "" && f.At != AtRequest && f.At != AtHandshake {
		return f, t, fmt.Errorf("at: %q is neither %q nor %q", f.At, AtRequest, AtHandshake)
	}
	if f.Kind == Hang && f.At == AtHandshake {
		t = trait{family: connectionFault, takes: t.takes, greet: lingerOn}
	}
	if len(f.Paths) > 0 && t.family != answerFault {
		return f, t, errors.New("paths: this fault is shown before any path is known")
	}
	for _, path := range f.Paths {
		if !strings.HasPrefix(path, "/") {
			return f, t, fmt.Errorf("paths: %q does not begin with /", path)
		}
	}
	if f.Interval < 0 || f.RetryAfter < 0 || f.Bytes < 0 || f.Depth < 0 || f.Times < 0 {
		return f, t, errors.New("a parameter is negative")
	}
	if len(f.Latency.tails) > 0 {
		return f, t, errors.New("latency: the clusters of a fault are chosen by the fault, not by a share of its latency")
	}
	if f.Kind == Slow && f.Latency.shape == constant && f.Latency.low == 0 {
		return f, t, errors.New("latency: this fault needs one that is not 0, such as 3s")
	}
	if t.complete != nil {
		t.complete(&f)
	}
	if f.Kind == Redirect && (f.Status < 300 || f.Status > 399) {
		return f, t, fmt.Errorf("status: %d is no redirect", f.Status)
	}
	if strings.ContainsAny(f.Location, "\r\n") {
		return f, t, errors.New("location: holds a line break")
	}
	return f, t, nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (f *Fault) covers(path string) bool {
	if len(f.Paths) == 0 {
		return true
	}
	return slices.ContainsFunc(f.Paths, func(prefix string) bool { return strings.HasPrefix(path, prefix) })
}

func joinKinds(kinds []Kind) string {
	names := make([]string, 0, len(kinds))
	for _, kind := range kinds {
		names = append(names, string(kind))
	}
	return strings.Join(names, ", ")
}
