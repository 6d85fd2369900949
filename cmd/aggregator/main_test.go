package main

import (
	"errors"
	"io"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// client-go's logger flushes for as long as the process lives.
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("k8s.io/klog/v2.(*flushDaemon).run.func1"))
}

func TestExitCodeTellsUsageFromFailureInOneLine(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		code int
		text string
	}{
		{"done", nil, 0, ""},
		{"failed", errors.New("out of order"), 1, "aggregator: out of order\n"},
		{"two failures", errors.Join(errors.New("one"), errors.New("two")), 1, "aggregator: one; two\n"},
		{"usage", usage("--limit must be less"), 2, "aggregator: --limit must be less (see aggregator --help)\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stderr strings.Builder
			if code := exitCode(c.err, &stderr); code != c.code || stderr.String() != c.text {
				t.Errorf("got %d and %q, want %d and %q", code, stderr.String(), c.code, c.text)
			}
		})
	}
}

// isUsage runs a command line that cannot be served and reports whether that is told as wrong usage, and its text.
func isUsage(t *testing.T, args ...string) (told bool, text string) {
	t.Helper()
	err := run(t.Context(), args, io.Discard, io.Discard)
	if err == nil {
		t.Fatalf("%q was served", args)
	}
	_, told = errors.AsType[*usageError](err)
	return told, err.Error()
}
