package manifest_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/clusterfleet/clusterfleet/internal/manifest"
	"github.com/clusterfleet/clusterfleet/internal/manifest/manifesttest"
	"github.com/clusterfleet/clusterfleet/internal/simulator"
)

// BenchmarkReader splits lists of some 5 MB. Beside it stand, over the same bytes: a copy of them, the least that anyone
// takes who finds the items by looking for quotes and brackets and believes the rest, and what jsontext takes to validate
// them, with and without the search for names that come twice.
func BenchmarkReader(b *testing.B) {
	for _, body := range []struct {
		name string
		list string
	}{
		{"pods", manifesttest.PodList(1000)},
		{"pods without managedFields", withoutManagedFields(b, manifesttest.PodList(1250))},
		{"simulated pods", simulatedPods(b, 5000)},
	} {
		list := body.list
		for _, contestant := range []struct {
			name string
			read func(b *testing.B) (items int)
		}{
			{"memmove", copying(list)},
			{"IndexByte", func(*testing.B) int { return naiveSplit(list) }},
			{"jsontext", validating(list)},
			{"jsontext, names may repeat", validating(list, jsontext.AllowDuplicateNames(true))},
			{"default", splitting(list, manifest.Options{})},
			{"untouched", splitting(list, manifest.Options{ManagedFields: true, SecretData: true})},
		} {
			b.Run(body.name+"/"+contestant.name, func(b *testing.B) {
				b.SetBytes(int64(len(list)))
				b.ReportAllocs()
				items := 0
				for b.Loop() {
					items = contestant.read(b)
				}
				b.ReportMetric(float64(items)*float64(b.N)/b.Elapsed().Seconds(), "items/s")
			})
		}
	}
}

func splitting(list string, opts manifest.Options) func(*testing.B) int {
	opts.Pool = new(manifest.Pool)
	return func(b *testing.B) int {
		r := manifest.NewReader(strings.NewReader(list), opts)
		defer r.Close()
		for items := 0; ; items++ {
			if _, err := r.Next(); errors.Is(err, io.EOF) {
				return items
			} else if err != nil {
				b.Fatal(err)
			}
		}
	}
}

func copying(list string) func(*testing.B) int {
	to := make([]byte, len(list))
	return func(*testing.B) int { return copy(to, list) - len(list) }
}

func validating(list string, opts ...jsontext.Options) func(*testing.B) int {
	decoder := new(jsontext.Decoder)
	return func(b *testing.B) int {
		decoder.Reset(strings.NewReader(list), opts...)
		if _, err := decoder.ReadValue(); err != nil {
			b.Fatal(err)
		}
		return 0
	}
}

// naiveSplit counts the items of a list, and the bytes of each, as one does who trusts the server.
func naiveSplit(list string) int {
	rest := list[strings.Index(list, `"items":[`)+len(`"items":[`):]
	items, depth := 0, 0
	for {
		quote := strings.IndexByte(rest, '"')
		if quote < 0 {
			return items
		}
		for _, c := range []byte(rest[:quote]) {
			switch c {
			case '{', '[':
				depth++
			case '}', ']':
				depth--
				if depth == 0 {
					items++
				}
			}
		}
		rest = rest[quote+1:]
		for {
			end := strings.IndexByte(rest, '"')
			slashes := end
			for slashes > 0 && rest[slashes-1] == '\\' {
				slashes--
			}
			rest = rest[end+1:]
			if (end-slashes)%2 == 0 {
				break
			}
		}
	}
}

func withoutManagedFields(b testing.TB, list string) string {
	b.Helper()
	items, _, err := readAll(strings.NewReader(list), manifest.Options{})
	if err != nil {
		b.Fatal(err)
	}
	return pods + strings.Join(jsons(items), ",") + "]}"
}

// simulatedPods returns the pods of a cluster of the simulator, as benchmarks of the whole product read them.
func simulatedPods(b testing.TB, n int) string {
	b.Helper()
	fleet, err := simulator.Start(b.Context(), simulator.Config{Clusters: 1, Counts: map[string]int{"pods": n}})
	if err != nil {
		b.Fatal(err)
	}
	defer fleet.Close()
	config, err := clientcmd.RESTConfigFromKubeConfig(fleet.Kubeconfig())
	if err != nil {
		b.Fatal(err)
	}
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		b.Fatal(err)
	}
	defer client.CloseIdleConnections()
	request, err := http.NewRequestWithContext(b.Context(), http.MethodGet, config.Host+"/api/v1/pods", nil)
	if err != nil {
		b.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(response.Body); err != nil || response.StatusCode != http.StatusOK {
		b.Fatal(response.Status, err)
	}
	return body.String()
}
