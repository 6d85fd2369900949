package compare_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/semaphore"

	"github.com/clusterfleet/clusterfleet/internal/compare"
)

// plenty is memory without an end that knows whether it was given back.
func plenty(t testing.TB) *semaphore.Weighted {
	t.Helper()
	memory := semaphore.NewWeighted(math.MaxInt64)
	t.Cleanup(func() {
		if !memory.TryAcquire(math.MaxInt64) {
			t.Error("memory was not given back")
		}
	})
	return memory
}

func add(t testing.TB, p *compare.Part, namespace, name, content string) {
	t.Helper()
	if err := p.Add(namespace, name, []byte(content), sha256.Sum256([]byte(content))); err != nil {
		t.Fatal(err)
	}
}

// outline is what was found, short enough to be compared.
type outline struct {
	Name    string
	Forms   []string // the content, and the clusters that have it
	Missing []int
}

func outlines(t testing.TB, c *compare.Comparison, against int) ([]outline, compare.Totals) {
	t.Helper()
	var totals compare.Totals
	var all []outline
	for f := range c.Objects(against) {
		totals.Objects++
		if f.Same() {
			totals.Equal++
		}
		if len(f.Variants) > 1 {
			totals.Differing++
		}
		if len(f.Missing) > 0 {
			totals.MissingSomewhere++
		}
		o := outline{Name: f.Namespace + "/" + f.Name, Missing: f.Missing}
		for _, v := range f.Variants {
			content := c.Content(f, v)
			if content != nil && (sha256.Sum256(content) != v.Hash || len(content) != v.Size) {
				t.Errorf("%s: the content of %v is %s", o.Name, v.Clusters, content)
			}
			o.Forms = append(o.Forms, fmt.Sprint(string(content), v.Clusters))
		}
		all = append(all, o)
	}
	if diff := cmp.Diff(totals, c.Totals()); diff != "" {
		t.Errorf("totals (-counted one by one +got):\n%s", diff)
	}
	return all, totals
}

func TestClustersAreGroupedByForm(t *testing.T) {
	c := compare.New(6, plenty(t))
	defer c.Close()
	have := [][]string{
		{"b/x=1", "b/y=1", "a/z=1"},
		{"b/x=2", "b/y=1"},
		{"b/x=2", "b/y=2", "a/z=1"},
		{"b/x=1", "b/y=3", "a/z=1"},
		{"b/x=9", "b/y=9", "b/gone=1", "a/z=9"}, // fails in the end
		{"b/x=3", "b/y=1", "a/z=1", "b/x=1"},    // says something twice
	}
	for cluster, lines := range have {
		p := c.Part(cluster)
		for _, line := range lines {
			add(t, p, line[:1], line[2:len(line)-2], line[len(line)-1:])
		}
		if cluster != 4 {
			p.Done()
		}
	}
	got, totals := outlines(t, c, -1)
	want := []outline{
		{"a/z", []string{"1[0 2 3 5]"}, []int{1}},
		{"b/x", []string{"1[0 3]", "2[1 2]", "3[5]"}, nil},
		{"b/y", []string{"1[0 1 5]", "2[2]", "3[3]"}, nil},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(compare.Totals{Objects: 3, Differing: 2, MissingSomewhere: 1}, totals); diff != "" {
		t.Error(diff)
	}
	got, _ = outlines(t, c, 5)
	if got[1].Forms[0] != "3[5]" || got[1].Forms[1] != "1[0 3]" || got[1].Forms[2] != "2[1 2]" {
		t.Errorf("against cluster 5: %v", got[1])
	}
	for _, lacking := range []int{1, 4} {
		if got, _ = outlines(t, c, lacking); got[0].Forms[0] != "1[0 2 3 5]" {
			t.Errorf("against cluster %d, which lacks it: %v", lacking, got[0])
		}
	}
}

// TestAComparisonIsWhatANaiveOneIs compares random fleets with maps of maps.
func TestAComparisonIsWhatANaiveOneIs(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, clusters := range []int{1, 2, 40, 100, 700} {
		c := compare.New(clusters, plenty(t))
		naive := map[string]map[string][]int{}
		var present []int
		var group sync.WaitGroup
		for cluster := range clusters {
			p := c.Part(cluster)
			done := r.IntN(10) > 0
			for object := range 20 {
				if r.IntN(8) == 0 {
					continue
				}
				name, content := fmt.Sprintf("o%02d", object), fmt.Sprint(object, "/", r.IntN(1+object*object))
				if done {
					if naive[name] == nil {
						naive[name] = map[string][]int{}
					}
					naive[name][content] = append(naive[name][content], cluster)
				}
				group.Go(func() {}) // gives way to others
				add(t, p, "", name, content)
			}
			if done {
				present = append(present, cluster)
				p.Done()
			}
		}
		group.Wait()
		got, totals := outlines(t, c, -1)
		if totals.Objects != len(naive) || len(got) != len(naive) {
			t.Errorf("%d clusters: %v for %d objects", clusters, totals, len(naive))
		}
		for _, o := range got {
			forms := naive[o.Name[1:]]
			var missing, have []int
			for content, in := range forms {
				if !slices.Contains(o.Forms, fmt.Sprint(content, in)) {
					t.Errorf("%s lacks %s in %v", o.Name, content, in)
				}
				have = append(have, in...)
			}
			for _, cluster := range present {
				if !slices.Contains(have, cluster) {
					missing = append(missing, cluster)
				}
			}
			if len(forms) != len(o.Forms) || !slices.Equal(missing, o.Missing) {
				t.Errorf("%s: %d forms of %d, missing in %v instead of %v", o.Name, len(o.Forms), len(forms), o.Missing, missing)
			}
		}
		c.Close()
	}
}

func TestClustersAddAtTheSameTime(t *testing.T) {
	const clusters, objects = 32, 50
	c := compare.New(clusters, plenty(t))
	defer c.Close()
	var group sync.WaitGroup
	for cluster := range clusters {
		group.Go(func() {
			p := c.Part(cluster)
			for object := range objects {
				add(t, p, "ns", fmt.Sprint(object), fmt.Sprintf(`{"a long enough beginning of what is alike":%d,"of":%d}`, object, cluster%7))
			}
			p.Done()
		})
	}
	group.Wait()
	got, totals := outlines(t, c, -1)
	if totals.Objects != objects || totals.Differing != objects || len(got[0].Forms) != 7 {
		t.Errorf("%v: %v", totals, got[0])
	}
}

func TestContentsAreKeptAsLongAsThereIsRoomAndTheIndexAlways(t *testing.T) {
	r := rand.NewChaCha8([32]byte{})
	noise := make([]byte, 300<<10) // cannot be compressed
	for _, memory := range []int64{3 << 20, 1 << 30} {
		c := compare.New(2, semaphore.NewWeighted(memory))
		p, q := c.Part(0), c.Part(1)
		for i := range 200 {
			_, _ = r.Read(noise)
			add(t, p, "", fmt.Sprint(i), string(noise))
			add(t, q, "", fmt.Sprint(i), string(noise[1:]))
		}
		p.Done()
		q.Done()
		kept := 0
		for f := range c.Objects(-1) {
			for _, v := range f.Variants {
				if content := c.Content(f, v); content != nil {
					kept += len(content)
					if sha256.Sum256(content) != v.Hash {
						t.Error("another content came back")
					}
				}
			}
		}
		if limit := min(int(memory), 32<<20); c.Totals().Differing != 200 || kept == 0 || kept > 64<<20 || limit == 3<<20 && kept > 4<<20 {
			t.Errorf("with %d bytes, %d were kept of %v", memory, kept, c.Totals())
		}
		c.Close()
	}
}

func TestTooManyObjectsAreAnError(t *testing.T) {
	c := compare.New(2, semaphore.NewWeighted(2<<20))
	defer c.Close()
	p := c.Part(0)
	var err error
	n := 0
	for ; err == nil && n < 100_000; n++ {
		err = p.Add("ns", fmt.Sprint("name-", n), []byte("{}"), compare.Hash{})
	}
	if !errors.Is(err, compare.ErrFull) || n < 1000 {
		t.Errorf("%v after %d objects", err, n)
	}
}

func TestWhatAllClustersHaveTakesLittleMoreThanABitEach(t *testing.T) {
	const clusters, objects = 10_000, 100
	c := compare.New(clusters, semaphore.NewWeighted(3<<20)) // as lists, the clusters alone would take 4 MiB
	defer c.Close()
	for cluster := range clusters {
		p := c.Part(cluster)
		for object := range objects {
			add(t, p, "", fmt.Sprint(object), "{}")
		}
		p.Done()
	}
	if _, totals := outlines(t, c, -1); totals.Equal != objects {
		t.Errorf("%+v", totals)
	}
}
