package compare_test

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/clusterfleet/clusterfleet/internal/compare"
)

const canary = "c4n4ry-7f3e"

// secrets hold the canary wherever it may be.
func secrets() []string {
	encoded := base64.StdEncoding.EncodeToString([]byte(canary))
	return []string{
		fmt.Sprintf(`{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"},"data":{"a":%q,"b":{"c":%q},"d":[%q]}}`, encoded, canary, canary),
		fmt.Sprintf(`{"stringData":{"a":%q},"kind":"Secret","apiVersion":"v1"}`, canary),
		fmt.Sprintf(`{"kind":"Secret","data":%q}`, canary),
		fmt.Sprintf(`{"kind":"Secret","\u0064ata":{"a":%q}}`, canary),
		fmt.Sprintf(`{"kind":"Secret","data":[%q],"stringData":%q,"items":[{"data":{"a":%q}}],"extra":{"data":%q}}`, canary, canary, canary, canary),
		fmt.Sprintf(`{"kind":"Secret","metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":%q},"managedFields":[%q]}}`, canary, canary),
		fmt.Sprintf(`{"data":{"a":%q}}`, canary),
		fmt.Sprintf(`{"kind":"PartialObject","apiVersion":"example.com/v1","data":{"a":%q},"items":[%q]}`, canary, canary),
	}
}

func TestTheDataOfSecretsIsNowhere(t *testing.T) {
	f := ignoring(t, "data.nothing", "stringData[*].x")
	for _, json := range secrets() {
		content, _ := normalize(t, f, compare.Object{Namespace: "ns", Name: "s", JSON: []byte(json), Secret: true})
		if strings.Contains(content, canary) || strings.Contains(content, base64.StdEncoding.EncodeToString([]byte(canary))) {
			t.Errorf("%s became %s", json, content)
		}
	}
	content, _ := normalize(t, f, compare.Object{Kind: "Secret", APIVersion: "v1", JSON: []byte(secrets()[1])})
	if strings.Contains(content, canary) {
		t.Errorf("one that calls itself a Secret became %s", content)
	}
}

func digestOf(t *testing.T, f *compare.Filter, namespace, name, data string) string {
	t.Helper()
	content, _ := normalize(t, f, compare.Object{Namespace: namespace, Name: name, JSON: []byte(`{"kind":"Secret","data":` + data + `}`), Secret: true})
	digest := regexp.MustCompile(`"\(hidden: [0-9a-f]{16}\)"`).FindString(content)
	if digest == "" {
		t.Fatalf("no digest in %s", content)
	}
	return digest
}

func TestTheDigestOfAValueCountsForOneMemberOfOneObjectInOneComparison(t *testing.T) {
	f := ignoring(t)
	first := digestOf(t, f, "ns", "s", `{"k":"v"}`)
	if again := digestOf(t, f, "ns", "s", `{ "k" : "\u0076" }`); again != first {
		t.Error("equal values have other digests")
	}
	for about, other := range map[string]string{
		"another value":      digestOf(t, f, "ns", "s", `{"k":"w"}`),
		"another member":     digestOf(t, f, "ns", "s", `{"l":"v"}`),
		"another object":     digestOf(t, f, "ns", "t", `{"k":"v"}`),
		"another namespace":  digestOf(t, f, "nt", "s", `{"k":"v"}`),
		"another comparison": digestOf(t, ignoring(t), "ns", "s", `{"k":"v"}`),
		"shifted names":      digestOf(t, f, "n", "ss", `{"k":"v"}`),
	} {
		if other == first {
			t.Errorf("%s has the same digest", about)
		}
	}
}

func TestIgnoredDataOfSecretsDoesNotCount(t *testing.T) {
	for path, want := range map[string]string{
		"data.k":  `{"data":{"l":"(hidden`,
		"data":    `{"kind":"Secret"}`,
		"data[*]": `{"kind":"Secret"}`,
	} {
		content, _ := normalize(t, ignoring(t, path), compare.Object{JSON: []byte(`{"kind":"Secret","data":{"k":"v","l":"w"}}`), Secret: true})
		if !strings.HasPrefix(content, want) || strings.Count(content, "hidden") > 1 {
			t.Errorf("%s: %s", path, content)
		}
	}
}
