package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// picture is what is to be seen of an SVG.
type picture struct {
	texts []string
	paths int
	fills map[string]int // paths of each colour
	bytes int
}

func look(t *testing.T, file string) picture {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p := picture{fills: map[string]int{}, bytes: len(text)}
	for decoder, inText := xml.NewDecoder(bytes.NewReader(text)), false; ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return p
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			inText = e.Name.Local == "text"
			if e.Name.Local == "path" {
				p.paths++
				for _, a := range e.Attr {
					if fill, found := strings.CutPrefix(a.Value, "fill:"); found {
						p.fills[fill]++
					}
				}
			}
		case xml.CharData:
			if inText {
				p.texts = append(p.texts, string(e))
			}
			inText = false
		}
	}
}

func (p picture) shows(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !slices.Contains(p.texts, text) {
			t.Errorf("%q is not in the picture, which has %q", text, p.texts)
		}
	}
}

const (
	blue   = "#1F5FBF"
	grey   = "#404040"
	orange = "#D98C3F"
	white  = "#FFFFFF"
)

func TestRunIsDrawnAsThreePictures(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "plots")
	if err := run([]string{"bench", "testdata/bench.json", folder}, io.Discard); err != nil {
		t.Fatal(err)
	}
	ratios := look(t, filepath.Join(folder, "ratios.svg"))
	ratios.shows(t, "1 · warm probe: CPU", "ours", "net/http", "1.93 ×", "2.60 ×", "5 · fetch: peak RSS", "41.60 ×", "10 · split: rate", "7.24 ×")
	if ratios.fills[blue] != 3 || ratios.fills[orange] != 2 || ratios.fills[white] != 1 {
		t.Errorf("ratios: bars %v; want 3 of ours, 2 of peers, a white ground", ratios.fills)
	}
	if first, last := slices.Index(ratios.texts, "1 · warm probe: CPU"), slices.Index(ratios.texts, "10 · split: rate"); first > last {
		t.Error("rows are not in the order of their numbers")
	}
	memory := look(t, filepath.Join(folder, "memory.svg"))
	memory.shows(t, "5 · fetch: peak RSS", "100 MB", "70 MB", "2890 MB", "dynamic client")
	if memory.fills[blue] != 1 || memory.fills[grey] != 1 || memory.fills[orange] != 1 {
		t.Errorf("memory: bars %v", memory.fills)
	}
	rounds := look(t, filepath.Join(folder, "rounds.svg"))
	rounds.shows(t, "1 · warm probe: CPU", "ours", "floor")
	if rounds.fills[blue] != 3 || rounds.fills[grey] != 3 || rounds.fills[orange] != 0 {
		t.Errorf("rounds: dots %v; want 3 of ours and 3 of the floor", rounds.fills)
	}
	for _, p := range []picture{ratios, memory, rounds} {
		if slices.ContainsFunc(p.texts, func(text string) bool { return strings.Contains(text, "not promised") }) {
			t.Errorf("a row without a number is drawn: %q", p.texts)
		}
	}
}

func TestPicturesOfAQuickRunSaySo(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "run.json")
	const text = `{"short": true, "rows": [{"number": 2, "work": "w", "ours": {"value": 3e8, "unit": "B"}, "floor": {"value": 1e8, "unit": "B"}, "ratio": 3}]}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run([]string{"bench", file, folder}, io.Discard); err != nil {
		t.Fatal(err)
	}
	look(t, filepath.Join(folder, "memory.svg")).shows(t, "Peak resident memory (a quick run: its figures say little)")
	if _, err := os.Stat(filepath.Join(folder, "rounds.svg")); err == nil {
		t.Error("a picture of no rounds was drawn")
	}
}

// soaked writes a run of so many samples, a second apart, of which every hundredth is a rest.
func soaked(t *testing.T, samples int) (file string) {
	t.Helper()
	var w strings.Builder
	w.WriteString("seconds,heap_bytes,rss_bytes,goroutines,open_files,connections,judged_heap_bytes,store_bytes,watchers,clusters,visits,rest\n")
	for i := 1; i <= samples; i++ {
		rest, watchers := 0, 24
		if i%100 == 0 {
			rest, watchers = 1, 0
		}
		fmt.Fprintf(&w, "%d,%d,%d,%d,90,80,%d,%d,%d,990,%d,%d\n", i, 70<<20, 200<<20, 2000+i%7+500*(1-rest), 30<<20+i/100%977*1024, 5<<20, watchers, 2*i, rest)
	}
	file = filepath.Join(t.TempDir(), "soak.csv")
	if err := os.WriteFile(file, []byte(w.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestSoakIsDrawnAsWhatIsJudgedWithItsRests(t *testing.T) {
	out := filepath.Join(t.TempDir(), "soak.svg")
	var said strings.Builder
	if err := run([]string{"soak", soaked(t, 1800), out}, &said); err != nil {
		t.Fatal(err)
	}
	if said.String() != out+"\n" {
		t.Errorf("it prints %q, not where the picture is", &said)
	}
	p := look(t, out)
	p.shows(t, "Soak: 30.0 minutes, 990 clusters, 18 rests", "minutes", "30",
		"live heap beside the store's buffers: at rest 30.0 MiB", "resident memory: at rest 200.0 MiB, at most 200.0 MiB",
		"goroutines: at rest 2000 to 2006, at most 2506", "open files: at rest 90, at most 90", "connections: at rest 80, at most 80",
		"store on disk: at rest 5.0 MiB, at most 5.0 MiB", "watchers: at rest 0, at most 24", "visits of callers so far: at rest 200 to 3600, at most 3600")
	if p.fills[blue] != 8*18 {
		t.Errorf("%d dots; want one for each of 18 rests in each of 8 panels", p.fills[blue])
	}
	if slices.ContainsFunc(p.texts, func(text string) bool { return strings.HasPrefix(text, "rest:") }) {
		t.Errorf("whether it is at rest has a panel: %q", p.texts)
	}
}

func TestPictureOfALongSoakIsNoLarger(t *testing.T) {
	out := filepath.Join(t.TempDir(), "soak.svg")
	if err := run([]string{"soak", soaked(t, 100_000), out}, io.Discard); err != nil {
		t.Fatal(err)
	}
	if p := look(t, out); p.bytes > 500<<10 || p.fills[blue] > 8*dotPoints {
		t.Errorf("%d bytes of SVG, %d dots", p.bytes, p.fills[blue])
	}
}

func TestScaleHasFewRoundMarks(t *testing.T) {
	for most, want := range map[float64]string{1: "0 0.5 1", 26.4: "0 10 20", 80: "0 20 40 60 80", 3300: "0 1000 2000 3000"} {
		var got []string
		for _, tick := range steps(0, most) {
			got = append(got, tick.Label)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("up to %g: %q, want %q", most, got, want)
		}
	}
}

func TestThinnedSeriesKeepsItsExtremes(t *testing.T) {
	values := make([]float64, 10_000)
	values[1234], values[8765] = 7, -7
	indices := thinned(values, 100)
	if len(indices) > 100 || !slices.IsSorted(indices) {
		t.Errorf("%d indices, sorted: %v", len(indices), slices.IsSorted(indices))
	}
	for _, i := range []int{1234, 8765} {
		if !slices.Contains(indices, i) {
			t.Errorf("the extreme at %d is gone", i)
		}
	}
	if got := thinned([]float64{1, 2, 3}, 100); !slices.Equal(got, []int{0, 1, 2}) {
		t.Errorf("few values: %v", got)
	}
}

func TestWhatIsNotUnderstoodIsAnError(t *testing.T) {
	folder := t.TempDir()
	for name, text := range map[string]string{
		"empty":                      "",
		"another first column":       "minutes,heap_bytes\n1,2\n2,3\n",
		"no further columns":         "seconds\n1\n2\n",
		"a word":                     "seconds,heap_bytes\n1,2\n2,many\n",
		"no number":                  "seconds,heap_bytes\n1,2\n2,NaN\n",
		"a line that is too short":   "seconds,heap_bytes\n1,2\n2\n",
		"one point":                  "seconds,heap_bytes\n1,2\n",
		"no column of a soak":        "seconds,heap_bytes,clusters,rest\n1,2,3,0\n2,3,3,1\n",
		"no rest":                    "seconds,rss_bytes,goroutines,open_files,connections,judged_heap_bytes,store_bytes,watchers,clusters,visits,rest\n1,1,1,1,1,1,1,1,1,1,0\n2,1,1,1,1,1,1,1,1,1,0\n",
		"JSON with neither a column": "{}",
	} {
		file := filepath.Join(folder, "in")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"soak", file, filepath.Join(folder, "out.svg")}, {"bench", file, folder}} {
			if err := run(args, io.Discard); err == nil {
				t.Errorf("%s: plot %s: no error", name, args[0])
			}
		}
	}
	for _, args := range [][]string{nil, {"bench"}, {"bench", "none", folder}, {"soak", "none", folder}, {"other", "a", "b"}} {
		if err := run(args, io.Discard); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}
