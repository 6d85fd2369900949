package test_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/fleettest/metrics"
	"github.com/clusterfleet/clusterfleet/test/internal/process"
	"github.com/clusterfleet/clusterfleet/test/internal/realkube"
)

const (
	busyObjects = "/api/v1/namespaces/busy/configmaps"
	// flowControl is where an API server has its rules of priority and fairness.
	flowControl = "/apis/flowcontrol.apiserver.k8s.io/v1/"
	// noRoom is the name of such a rule and of its priority level.
	noRoom = "no-room"
)

// limitedByPriority has an API server whose own priority and fairness answers 429 to what the aggregator reads there,
// because another request of the same user takes all the room that the user has. Health is exempt from that.
func limitedByPriority(t *testing.T, fleet *realkube.Fleet) {
	const user, objects = "member", 3
	one := fleet.Servers[0]
	for _, server := range fleet.Servers {
		createNamespace(t, server, "busy")
		createMany(t, server, busyObjects, objects, func(n int) object { return configMap(fmt.Sprint("map-", n), nil) })
	}
	allow(t, one, "busy", user, "get", "list", "create")
	one.Await(t, one.Tokens[user], busyObjects, http.StatusOK)
	a := programs.Aggregator(t, writeKubeconfig(t, contextOf("busy", one).token(one.Tokens[user]).namespace("busy"),
		contextOf("good-2", fleet.Servers[1]), contextOf("good-3", fleet.Servers[2])))
	awaitHealth(t, a, in(healthy))

	request := &fleetv1.FetchManifestsRequest{
		ResourceType: &fleetv1.ResourceType{Resource: "configmaps"}, Namespace: "busy",
	}
	leaveNoRoom(t, one, user)
	t.Run("is told with a time to wait, and the others are whole", func(t *testing.T) {
		reads, summary := fetch(t, a, request)
		e := reads["busy"].completion.GetError()
		if wait := retryDelay(t, e); reads["busy"].reason() != "THROTTLED" || wait <= 0 || wait > time.Minute || len(reads["busy"].objects) != 0 {
			t.Errorf("got %v, to wait %s", e, wait)
		}
		for _, good := range []string{"good-2", "good-3"} {
			if len(reads[good].objects) < objects || reads[good].reason() != "" {
				t.Errorf("%s is not whole: %v", good, reads[good].completion)
			}
		}
		if summary.GetThrottled() != 1 || summary.GetFailed() != 1 || summary.GetSucceeded() != 2 {
			t.Errorf("got %v", summary)
		}
	})
	t.Run("is a warning with a time to wait", func(t *testing.T) {
		for _, form := range []string{"table", "json", "jsonl"} {
			r := a.Fleetctl(t, "get", "configmaps", "-n", "busy", "-o", form)
			exits(t, r, 0, "good-2", "\n2 of 3 clusters read\n")
			if !toldToWait.MatchString(r.Stderr) || strings.Contains(r.Stdout, `"busy"}`) {
				t.Errorf("got %s\n%s", r.Stdout, r.Stderr)
			}
		}
		r := a.Fleetctl(t, "diff", "configmaps", "-n", "busy", "-o", "jsonl")
		exits(t, r, 0, `"retryDelay":"`, "(THROTTLED, again in ")
		if !strings.Contains(r.Stdout, `"throttled":1`) {
			t.Errorf("the summary does not count it: %s", r.Stdout)
		}
	})
	t.Run("is counted", func(t *testing.T) {
		m := a.Metrics(t)
		if n := m.Value("clusterfleet_clusters_throttled", "call", "read"); n != 1 {
			t.Errorf("%v clusters are throttled", n)
		}
		if n := m.Value("clusterfleet_reads_total", "reason", "THROTTLED", "result", "failed"); n != 5 {
			t.Errorf("%v reads were throttled, want all five so far", n)
		}
	})
	t.Run("leaves health alone", func(t *testing.T) {
		results, _ := probe(t, a, 0)
		verdict(t, results["busy"], healthy, 0)
		if h := liveHealth(t, a)["busy"]; !in(healthy)(h) || len(transitions(t, a, &fleetv1.ClusterSelector{Names: []string{"busy"}})) != 1 {
			t.Errorf("got %v", h)
		}
	})
	t.Run("is over when the server has room again", func(t *testing.T) {
		status, answer := one.Do(t, http.MethodDelete, flowControl+"flowschemas/"+noRoom, "")
		if status != http.StatusOK {
			t.Fatalf("status %d: %s", status, answer)
		}
		a.AwaitMetrics(t, "all are read, and as often as before", func(m metrics.Metrics) bool {
			reads, _ := fetch(t, a, request)
			return len(reads["busy"].objects) >= objects && m.Value("clusterfleet_clusters_throttled") == 0
		})
	})
}

// toldToWait is the warning about a cluster that rejects reads: its own answer, or that it has asked for fewer.
var toldToWait = regexp.MustCompile(`(?m)^warning: busy: .* \(THROTTLED, again in [0-9.]+m?s\)$`)

// leaveNoRoom gives the user a priority level without a seat at the server, where one request runs at a time, and a
// request to run there until the test ends: the server rejects what else the user does with ConfigMaps.
func leaveNoRoom(t *testing.T, server *realkube.Server, user string) {
	t.Helper()
	create(t, server, flowControl+"prioritylevelconfigurations", object{
		"metadata": object{"name": noRoom},
		"spec": object{"type": "Limited", "limited": object{
			"nominalConcurrencyShares": 0, "lendablePercent": 0, "borrowingLimitPercent": 0, "limitResponse": object{"type": "Reject"},
		}},
	})
	create(t, server, flowControl+"flowschemas", object{
		"metadata": object{"name": noRoom},
		"spec": object{
			"matchingPrecedence": 10, "priorityLevelConfiguration": object{"name": noRoom},
			"rules": []any{object{
				"subjects": []any{object{"kind": "User", "user": object{"name": user}}},
				"resourceRules": []any{object{
					"apiGroups": []string{""}, "resources": []string{"configmaps"}, "verbs": []string{"*"}, "namespaces": []string{"*"},
				}},
			}},
		},
	})
	// The status is written once the rules hold.
	awaitAnswer(t, server, flowControl+"flowschemas/"+noRoom, `"type":"Dangling","status":"False"`)
	server.Hold(t, server.Tokens[user], busyObjects)
	awaitAnswer(t, server, "/metrics", `apiserver_flowcontrol_current_executing_requests{flow_schema="`+noRoom+`",priority_level="`+noRoom+`"} 1`)
	server.Await(t, server.Tokens[user], busyObjects, http.StatusTooManyRequests)
}

// awaitAnswer reads as the administrator until the answer holds the text.
func awaitAnswer(t *testing.T, server *realkube.Server, path, text string) {
	t.Helper()
	var answer []byte
	err := process.Poll(t.Context(), func() (bool, error) {
		_, answer = server.Do(t, http.MethodGet, path, "")
		return strings.Contains(string(answer), text), nil
	})
	if err != nil {
		t.Fatalf("%s: %s never holds %s", server.Name, path, text)
	}
}
