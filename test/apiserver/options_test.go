package main

import (
	"io"
	"strings"
	"testing"
)

func TestWrongUsageIsRefusedBeforeAnythingStarts(t *testing.T) {
	tests := map[string]struct {
		args []string
		want string
	}{
		"unknown flag":           {[]string{"--servers=3"}, "-servers"},
		"no server":              {[]string{"--count=0"}, "--count must be at least 1"},
		"no time":                {[]string{"--ready-timeout=0s"}, "--ready-timeout must be positive"},
		"unknown command":        {[]string{"stop"}, `unexpected arguments: ["stop"]`},
		"relative directory":     {[]string{"--dir=run"}, "--dir must be absolute"},
		"relative kubeconfig":    {[]string{"--kubeconfig-out=kubeconfig"}, "--kubeconfig-out must be absolute"},
		"build with an argument": {[]string{"build", "etcd"}, "build takes no arguments"},
		"not a number":           {[]string{"--count=three"}, "-count"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := run(t.Context(), test.args, strings.NewReader(""), io.Discard, io.Discard)
			var stderr strings.Builder
			if code := exitCode(err, &stderr); code != 2 {
				t.Errorf("exit code %d", code)
			}
			if !strings.Contains(stderr.String(), test.want) {
				t.Errorf("got %q, want something about %q", stderr.String(), test.want)
			}
		})
	}
}

func TestHelpIsNoFailure(t *testing.T) {
	var stdout strings.Builder
	if err := run(t.Context(), []string{"--help"}, strings.NewReader(""), &stdout, io.Discard); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(stdout.String(), "kubeconfig-out") {
		t.Errorf("got %q", stdout.String())
	}
}

func TestAssetsOfTheEnvironmentComeBeforeTheCache(t *testing.T) {
	assets := t.TempDir()
	t.Setenv("KUBEBUILDER_ASSETS", assets)
	err := run(t.Context(), []string{"build"}, strings.NewReader(""), io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "KUBEBUILDER_ASSETS: stat "+assets) {
		t.Errorf("got %v", err)
	}
}
