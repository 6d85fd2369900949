package manifest_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterfleet/clusterfleet/internal/manifest"
)

func TestReaderReturnsAStatusOfFailureAsItsError(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		body string
		want manifest.StatusError
		text string
	}{
		"an expired token": {
			`{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"The provided continue parameter is too old",` +
				`"reason":"Expired","code":410}`,
			manifest.StatusError{Code: 410, Reason: "Expired", Message: "The provided continue parameter is too old"},
			"The provided continue parameter is too old (Expired)",
		},
		"too many requests": {
			`{"status":"Failure","code":429,"details":{"retryAfterSeconds":7,"causes":[]},"apiVersion":"v1","kind":"Status"}`,
			manifest.StatusError{Code: 429, RetryAfter: 7 * time.Second},
			"the API server answered with status code 429",
		},
		"a wait without bounds": {
			`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"X","details":{"retryAfterSeconds":9223372036854775807}}`,
			manifest.StatusError{Reason: "X", RetryAfter: (1<<31 - 1) * time.Second},
			"X",
		},
		"a wait into the past": {
			`{"kind":"Status","apiVersion":"v1","status":"Failure","message":"m","details":{"retryAfterSeconds":-1}}`,
			manifest.StatusError{Message: "m"},
			"m",
		},
		"text for a terminal": {
			`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"\u001b[2J","message":"a\r\nb\u202e"}`,
			manifest.StatusError{Reason: `\x1b[2J`, Message: `a\r\nb\u202e`},
			`a\r\nb\u202e (\x1b[2J)`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, list := range []bool{false, true} {
				items, _, err := readAll(strings.NewReader(tt.body), manifest.Options{List: list})
				checkStatus(t, err, tt.want, tt.text)
				if len(items) > 0 {
					t.Errorf("items %v", items)
				}
			}
			table := manifest.NewTableReader(strings.NewReader(tt.body), manifest.Options{})
			defer table.Close()
			_, err := table.Next()
			checkStatus(t, err, tt.want, tt.text)
		})
	}
}

func checkStatus(t *testing.T, err error, want manifest.StatusError, text string) {
	t.Helper()
	status, ok := errors.AsType[*manifest.StatusError](err)
	if !ok {
		t.Fatalf("error %v, want a StatusError", err)
	}
	if diff := cmp.Diff(want, *status); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
	if err.Error() != text {
		t.Errorf("text %q, want %q", err, text)
	}
}

func TestStatusTextIsBounded(t *testing.T) {
	t.Parallel()
	_, _, err := readAll(strings.NewReader(
		`{"kind":"Status","apiVersion":"v1","status":"Failure","message":"`+strings.Repeat("x", 1<<20)+`"}`), manifest.Options{})
	if err == nil || len(err.Error()) > 1024 {
		t.Errorf("a text of %d bytes", len(err.Error()))
	}
}
