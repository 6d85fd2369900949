package cluster

import (
	"bytes"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
)

// credentials are what servers are asked with here; answers repeat them, and no text may.
const (
	fuzzToken    = "t0k3n-c4n4ry"
	fuzzPassword = "p4ssw0rd-c4n4ry"
)

// FuzzAnswer: whatever a server answers that is no good, to a read or to a readiness check, there is a reason, the text is
// safe, repeats no credential, and the wait that it asks for is the one it says, bounded.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []struct {
		status                       int
		retryAfter, date, to, answer string
	}{
		{200, "", "", "", "ok"},
		{200, "", "", "", "not ok"},
		{204, "", "", "", ""},
		{418, "x", "", "", "teapot"},
		{0, "", "", "", ""},
		{999, "", "", "", "\xff"},
		{301, "", "", "https://user:" + fuzzToken + "@elsewhere/" + fuzzToken, ""},
		{302, "", "", "//" + fuzzPassword + "\x1b", ""},
		{307, "", "", "%", ""},
		{401, "", "", "", `{"kind":"Status","message":"Bearer ` + fuzzToken + `"}`},
		{403, "", "", "", `{"kind":"Status","message":"` + strings.Repeat("é\u202e", 600) + `"}`},
		{404, "", "", "", `{"kind":"Status","message":7}`},
		{410, "", "", "", `{"kind":"Status","metadata":{"continue":"x"},"message":"gone"}`},
		{429, "2147483648", "", "", ""},
		{429, "-1", "", "", ""},
		{429, "Sun, 06 Nov 1994 08:49:37 GMT", "", "", ""},
		{503, "99999999999999999999999", "", "", "{"},
		{503, "1.5", "", "", "null"},
		{429, "Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:07 GMT", "", ""},
		{503, "Sun, 06 Nov 9994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "", ""},
		{500, "", "", "", "[+]ping ok\n[-]etcd failed: reason withheld\n[-]" + fuzzToken + " failed\n[-]\n[-] \n[-]a\x1b[31m\r\n" + strings.Repeat("[-]x failed\n", 40)},
		{500, "", "", "", "[-]" + strings.Repeat("世", 400)},
	} {
		f.Add(seed.status, seed.retryAfter, seed.date, seed.to, []byte(seed.answer), false)
		f.Add(seed.status, seed.retryAfter, seed.date, seed.to, []byte(strings.ReplaceAll(seed.answer, fuzzToken, fuzzPassword)), true)
	}
	f.Fuzz(func(t *testing.T, status int, retry, date, location string, content []byte, basic bool) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://server/readyz", nil)
		if err != nil {
			t.Fatal(err)
		}
		secret := fuzzToken
		if req.Header.Set("Authorization", "Bearer "+secret); basic {
			secret = fuzzPassword
			req.SetBasicAuth("user", secret)
		}
		resp := &http.Response{
			StatusCode: status, Request: req, Body: wholeBody(content),
			Header: http.Header{"Retry-After": {retry}, "Date": {date}, "Location": {location}},
		}
		began := time.Now()
		e := judge(resp, content)
		if good := status >= 200 && status <= 299; (e == nil) != good {
			t.Fatalf("%d is %v", status, e)
		}
		if e != nil {
			e.expire(content)
			requireSafe(t, e, secret)
			requireWait(t, e, resp, began)
			if fresh, expired := Expired(e); expired != (status == http.StatusGone) || fresh != "" && !bytes.Contains(content, []byte("continue")) {
				t.Errorf("expired %t, by %q", expired, fresh)
			}
		}
		notReady, failing := judgeReady("/readyz", resp)
		if ready := status == 200 && string(bytes.TrimSpace(content)) == "ok"; (notReady == nil) != ready {
			t.Fatalf("%d, %q is %v", status, content, notReady)
		}
		if notReady == nil {
			return
		}
		requireSafe(t, notReady, secret)
		if (len(failing) > 0) != (notReady.Reason == NotReady) || len(failing) > maxFailingChecks || len(failing) > bytes.Count(content, []byte("[-]")) {
			t.Errorf("%s, failing %q", notReady.Reason, failing)
		}
		for _, name := range failing {
			if len(name) > maxCheckNameBytes || name == "" || strings.Contains(name, secret) || strings.ContainsFunc(name, unprintable) {
				t.Errorf("a check named %q", name)
			}
		}
	})
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }

func requireSafe(t *testing.T, e *Error, secret string) {
	t.Helper()
	text := e.Error() + e.Hint()
	if len(e.Error()) > 1024 || e.Error() == "" || strings.ContainsFunc(text, unprintable) || strings.Contains(text, secret) {
		t.Errorf("%s: %q", e.Reason, text)
	}
	if e.Hint() == "" || e.Blame != e.Reason.meaning().blame || e.RetryAfter < 0 || e.RetryAfter > time.Minute {
		t.Errorf("reason %q, blame %d, retry after %v", e.Reason, e.Blame, e.RetryAfter)
	}
}

// requireWait holds the wait of an error against the header that asks for it.
func requireWait(t *testing.T, e *Error, resp *http.Response, began time.Time) {
	t.Helper()
	value := resp.Header.Get("Retry-After")
	if !slices.Contains([]Reason{Throttled, ServerError}, e.Reason) {
		value = ""
	}
	wantLeast, wantMost := time.Duration(0), time.Duration(0)
	if at, err := http.ParseTime(value); err == nil {
		wantLeast, wantMost = time.Until(at), at.Sub(began)
		if theirs, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
			wantLeast, wantMost = at.Sub(theirs), at.Sub(theirs)
		}
	} else if n, ok := new(big.Int).SetString(value, 10); ok && !strings.ContainsAny(value, "+-_") {
		wantLeast = time.Minute
		if n.Cmp(big.NewInt(60)) < 0 {
			wantLeast = time.Duration(n.Int64()) * time.Second
		}
		wantMost = wantLeast
	}
	bounded := func(d time.Duration) time.Duration { return min(max(d, 0), time.Minute) }
	if e.RetryAfter < bounded(wantLeast) || e.RetryAfter > bounded(wantMost) {
		t.Errorf("Retry-After %q is %v, want %v", value, e.RetryAfter, wantMost)
	}
}
