package compare_test

import (
	"bytes"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/clusterfleet/clusterfleet/internal/compare"
)

// deployment is some 2 KB, as they are in real clusters.
func deployment(name string, cluster int) string {
	var env strings.Builder
	for i := range 12 {
		fmt.Fprintf(&env, `{"name":"SETTING_%d","value":"https://%s-%d.example.com:8443/path"},`, i, name, i*7919)
	}
	return fmt.Sprintf(`{"metadata":{"name":%[1]q,"namespace":"shop","uid":"5c9d-%[2]d","resourceVersion":"%[2]d7","generation":3,`+
		`"creationTimestamp":"2026-03-14T09:26:53Z","labels":{"app":%[1]q,"tier":"backend"},"annotations":{"deployment.kubernetes.io/revision":"%[2]d",`+
		`"example.com/cluster":"c-%[2]d"}},"spec":{"replicas":3,"selector":{"matchLabels":{"app":%[1]q}},"template":{"metadata":{"creationTimestamp":null,`+
		`"labels":{"app":%[1]q}},"spec":{"containers":[{"name":"main","image":"registry.example.com/%[1]s:1.2.%[2]d","env":[%[3]s{"name":"LAST","value":""}],`+
		`"resources":{"limits":{"cpu":"1","memory":"1Gi"},"requests":{"cpu":"100m","memory":"256Mi"}},"ports":[{"containerPort":8080,"protocol":"TCP"}]}],`+
		`"restartPolicy":"Always","terminationGracePeriodSeconds":30,"dnsPolicy":"ClusterFirst"}}},"status":{"replicas":3,"readyReplicas":3}}`,
		name, cluster, env.String())
}

func BenchmarkNormalize(b *testing.B) {
	n := compare.NewNormalizer(compare.NewFilter(nil))
	o := compare.Object{Namespace: "shop", Name: "web", APIVersion: "apps/v1", Kind: "Deployment", JSON: []byte(deployment("web", 1))}
	b.SetBytes(int64(len(o.JSON)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := n.Normalize(o); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCompare measures 1,000 names in 100 clusters: the same everywhere, and each another one in each cluster.
func BenchmarkCompare(b *testing.B) {
	const names, clusters = 1000, 100
	for _, differ := range []bool{false, true} {
		b.Run(fmt.Sprintf("differ=%t", differ), func(b *testing.B) {
			filter := compare.NewFilter(nil)
			n := compare.NewNormalizer(filter)
			texts := make([][]byte, names)
			for i := range texts {
				texts[i] = []byte(deployment(fmt.Sprint("web-", i), 424242))
			}
			var kept uint64
			for b.Loop() {
				before := heap()
				c := compare.New(clusters, plenty(b))
				for cluster := range clusters {
					p := c.Part(cluster)
					for i := range names {
						o := compare.Object{Namespace: "shop", Name: fmt.Sprint("web-", i), APIVersion: "apps/v1", Kind: "Deployment"}
						o.JSON = texts[i]
						if differ {
							o.JSON = bytes.ReplaceAll(texts[i], []byte("424242"), []byte(strconv.Itoa(cluster)))
						}
						content, hash, err := n.Normalize(o)
						if err == nil {
							err = p.Add(o.Namespace, o.Name, content, hash)
						}
						if err != nil {
							b.Fatal(err)
						}
					}
					p.Done()
				}
				kept = heap() - before
				lost := 0
				for f := range c.Objects(-1) {
					for _, v := range f.Variants {
						if c.Content(f, v) == nil {
							lost++
						}
					}
				}
				b.ReportMetric(float64(lost), "lost")
				c.Close()
			}
			b.ReportMetric(float64(kept)/names/clusters, "B/object")
			b.ReportMetric(float64(b.N)*names*clusters/b.Elapsed().Seconds(), "objects/s")
		})
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func BenchmarkDiff(b *testing.B) {
	n := compare.NewNormalizer(compare.NewFilter(nil))
	content := func(cluster int) []byte {
		raw, _, err := n.Normalize(compare.Object{APIVersion: "apps/v1", Kind: "Deployment", JSON: []byte(deployment("web", cluster))})
		if err != nil {
			b.Fatal(err)
		}
		return append([]byte(nil), raw...)
	}
	x, y := content(1), content(2)
	b.ReportAllocs()
	for b.Loop() {
		from, err := compare.YAML(x)
		if err != nil {
			b.Fatal(err)
		}
		to, err := compare.YAML(y)
		if err != nil {
			b.Fatal(err)
		}
		compare.Unified("a", from, "b", to, compare.MaxDiff)
	}
}
