package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSamplesAreSummedByName(t *testing.T) {
	text := "# HELP total n\n# TYPE total counter\ntotal{dst=\"a b}\",probe=\"x\"} 3 1690000000000\ntotal{dst=\"c\"} 4\nprobe_success 1\n\n"
	got, err := parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(samples{"total": 7, "probe_success": 1}, got); diff != "" {
		t.Errorf("samples (-want +got):\n%s", diff)
	}
	for _, text := range []string{"total\n", "total{a=\"b\"}\n", "total x\n"} {
		if _, err := parse(strings.NewReader(text)); err == nil {
			t.Errorf("%q is no error", text)
		}
	}
}
