package main

import (
	"fmt"
	"strings"
	"testing"
	"unicode"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/pkg/client/clienttest"
)

// hostileTexts are what a cluster, or who names one, may send to take over the terminal or to forge a line.
func hostileTexts() []string {
	return []string{
		"\x1b[2J\x1b[31mgone", "\x1b]0;title\x07", "\x9b31m", "\u009b31m", "prod-1   HEALTHY\nprod-2", "a\r\nb", "a\rb", "a\tb", "a\vb\fc",
		"\u202egpj.exe", "\u2066x\u2069", "\u200b", "\u2028x\u2029", "\ufeff", "\x00", "\x7f\x08", "\U000e0041", "\ue000",
	}
}

// hostileFleet puts a text wherever a stranger can put one.
func hostileFleet(text string) fleet {
	text = strings.ToValidUTF8(text, "\ufffd") // Other text does not get through protobuf.
	verdict := &fleetv1.Verdict{
		State: fleetv1.Verdict_STATE_DEGRADED, Message: text, Hint: text, ServerVersion: text, Username: text, FailingReadyzChecks: []string{text},
	}
	bad := newMember("bad "+text, "bad", verdict, codes.Unavailable)
	good := newMember("good "+text, "good", verdict, codes.OK)
	for _, m := range []*member{&bad, &good} {
		m.cluster.Server, m.cluster.Namespace, m.cluster.Source = text, text, text
		m.cluster.Labels["env"] = text
	}
	return fleet{members: []member{bad, good}, text: text, fetch: func(member, *fleetv1.FetchManifestsRequest) []*fleetv1.ManifestBatch {
		return []*fleetv1.ManifestBatch{
			{
				ApiVersion: text + "/" + text, Kind: text,
				Table: &fleetv1.Table{
					Columns: []*fleetv1.Table_Column{{Name: text}, {Name: "WIDE", Priority: 1}},
					Rows:    []*fleetv1.Table_Row{{Namespace: text, Name: text, Cells: []string{text, text, text}}, {Cells: []string{text}}},
				},
				Manifests: []*fleetv1.Manifest{
					{Namespace: text, Name: text, Json: fmt.Sprintf(`{"metadata":{"name":%s}}`, jsonString(text))},
					{Namespace: text, Name: text, Json: text},
				},
			},
		}
	}}
}

func jsonString(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		if r < ' ' {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r) // Raw, as JSON allows.
		}
	}
	return b.String() + `"`
}

func TestHostileTextReachesNoTable(t *testing.T) {
	for _, text := range hostileTexts() {
		t.Run(fmt.Sprintf("%q", text), func(t *testing.T) {
			address := clienttest.Serve(t, hostileFleet(text).script())
			for line, lines := range map[string]int{
				"clusters": 3, "clusters -o wide": 3, "clusters -o name": 2, "clusters -o custom-columns=N:.name,V:.observation.verdict.serverVersion": 3,
				"probe": 3, "probe -o wide": 3, "probe -o name": 2, "probe -o custom-columns=N:.cluster,M:.observation.verdict.message": 3,
				"watch --once": 3, "watch --once -o wide": 3, "watch --once -o name": 2, "wait --for=state=degraded": 2, "wait --for=state=healthy --any": 1,
				"history": 3, "history -o wide": 3, "history -o name": 2, "overview": 30,
				"api-resources": 5, "api-resources -o wide": 5, "api-resources -o name": 4, "api-resources --deprecated": 2,
				"get pods -A": 3, "get pods -A -o wide": 3, "get pods -A -o name": 2, "get pods -o custom-columns=N:.metadata.name,K:.kind": 2,
				"hibernation": 3, "hibernation -o wide": 3, "hibernation -o name": 2, "hibernation --by workload": 2,
			} {
				stdout, stderr, _ := fleetctl(t.Context(), t, append(strings.Fields(line), "--server", address)...)
				if got := strings.Count(stdout, "\n"); got != lines {
					t.Errorf("%s: %d lines, want %d:\n%q", line, got, lines, stdout)
				}
				if tabs := strings.Count(stdout, "\t"); tabs != 0 && (line != "get pods -A -o name" || tabs != 2*lines) {
					t.Errorf("%s: %d tabs are printed:\n%q", line, tabs, stdout)
				}
				for _, r := range strings.ReplaceAll(stdout, "\t", "") + stderr {
					if r != '\n' && !unicode.IsPrint(r) {
						t.Errorf("%s: %U is printed:\n%q\n%q", line, r, stdout, stderr)
						break
					}
				}
			}
		})
	}
}

func TestHostileErrorsAreOneLine(t *testing.T) {
	for _, text := range hostileTexts() {
		text = strings.ToValidUTF8(text, "\ufffd")
		script := clienttest.Script{ProbeClusters: func(*fleetv1.ProbeClustersRequest, probeServer) error { return status.Error(codes.Internal, text) }}
		stdout, stderr, code := fleetctl(t.Context(), t, "probe", "--server", clienttest.Serve(t, script))
		if code != exitFailed || stdout != "" || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%q: exit code %d\n%q\n%q", text, code, stdout, stderr)
		}
		for _, r := range strings.TrimSuffix(stderr, "\n") {
			if !unicode.IsPrint(r) {
				t.Errorf("%q: %U is printed: %q", text, r, stderr)
			}
		}
	}
}
