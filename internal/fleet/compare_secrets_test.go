package fleet_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

const canary = "c4n4ry-7f3e"

// TestTheDataOfComparedSecretsIsNowhere has a canary in all places of Secrets that differ.
func TestTheDataOfComparedSecretsIsNowhere(t *testing.T) {
	encode := func(c int) string { return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s%d", canary, c)) }
	f := many(t, 3, func(c int, w http.ResponseWriter, r *http.Request) {
		c /= 2 // two of them are alike
		secret := fmt.Sprintf(`{"metadata":{"name":"s","namespace":"ns","annotations":{"kubectl.kubernetes.io/last-applied-configuration":"%[1]s","objectset.rio.cattle.io/applied":"%[1]s%[4]d"},`+
			`"managedFields":[{"x":"%[1]s"}]},"data":{"k":%[2]q,"same":%[3]q},"stringData":{"k":"%[1]s%[4]d"},"type":"Opaque","items":[{"kind":"Secret","data":{"k":"%[1]s"}}]}`,
			canary, encode(c), encode(7), c)
		if strings.HasSuffix(r.URL.Path, "/s") {
			fmt.Fprint(w, strings.Replace(secret, "{", `{"kind":"Secret","apiVersion":"v1",`, 1))
			return
		}
		fmt.Fprintf(w, `{"kind":"SecretList","apiVersion":"v1","metadata":{},"items":[%s]}`, secret)
	})
	for _, q := range []cluster.Query{
		{Type: cluster.TypeName{Version: "v1", Name: "secrets"}},
		{Type: cluster.TypeName{Version: "v1", Name: "secrets"}, Namespace: "ns", Name: "s"},
	} {
		got := compareAll(t.Context(), t, f, fleet.CompareRequest{Query: q, IncludeEqual: true})
		if len(got.objects) != 1 || len(got.objects[0].Variants) != 2 {
			t.Fatalf("%+v", got.objects)
		}
		diff := got.objects[0].Variants[1].Diff
		if strings.Count(diff, "\n-  k: '(hidden: ") != 2 || strings.Contains(diff, "-  same") {
			t.Errorf("the difference is not told: %s", diff)
		}
		all := fmt.Sprintf("%+v %+v", got.objects[0], got.clusters)
		for _, secret := range []string{canary, encode(0), encode(1), encode(7)} {
			if strings.Contains(all, secret) {
				t.Errorf("%s is in %s", secret, all)
			}
		}
	}
}

// TestSecretsInOtherTypesAreRedacted: what only a list of Secrets may keep until it is hidden goes elsewhere at once.
func TestSecretsInOtherTypesAreRedacted(t *testing.T) {
	f := many(t, 2, func(c int, w http.ResponseWriter, r *http.Request) {
		list(fmt.Sprintf(`{"kind":"Secret","apiVersion":"v1","metadata":{"name":"s"},"data":{"k":"%s%d"}},`+
			`{"kind":"FooList","metadata":{"name":"l"},"spec":%[2]d,"items":[{"kind":"Secret","data":{"k":"%[1]s"}}]}`, canary, c))(w)
	})
	got := compareAll(t.Context(), t, f, fleet.CompareRequest{IncludeEqual: true})
	if len(got.objects) != 2 || got.totals.Equal != 1 || strings.Contains(fmt.Sprintf("%+v", got.objects), canary) {
		t.Errorf("%+v", got.objects)
	}
}
