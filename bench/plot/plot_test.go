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
	if err := run([]string{"bench", "testdata/bench.json", folder}); err != nil {
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
	if err := run([]string{"bench", file, folder}); err != nil {
		t.Fatal(err)
	}
	look(t, filepath.Join(folder, "memory.svg")).shows(t, "Peak resident memory (a quick run: its figures say little)")
	if _, err := os.Stat(filepath.Join(folder, "rounds.svg")); err == nil {
		t.Error("a picture of no rounds was drawn")
	}
}

func TestSeriesIsDrawnAsAPanelForEachColumn(t *testing.T) {
	file, out := filepath.Join(t.TempDir(), "soak.csv"), filepath.Join(t.TempDir(), "soak.svg")
	var w strings.Builder
	w.WriteString("seconds,heap_bytes,open_files,watchers\n")
	const points = 20_000
	for i := range points {
		fmt.Fprintf(&w, "%d,%d,%d,%d\n", i, 30<<20+i%977*1024, 100+i%7, i%50)
	}
	if err := os.WriteFile(file, []byte(w.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run([]string{"soak", file, out}); err != nil {
		t.Fatal(err)
	}
	p := look(t, out)
	p.shows(t, "heap: at most 30.95 MiB, at the end 30.45 MiB", "open files: at most 106, at the end 100", "watchers: at most 49, at the end 49", "minutes", "300")
	if p.bytes > 200<<10 {
		t.Errorf("%d bytes of SVG", p.bytes)
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
		"JSON with neither a column": "{}",
	} {
		file := filepath.Join(folder, "in")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"soak", file, filepath.Join(folder, "out.svg")}, {"bench", file, folder}} {
			if err := run(args); err == nil {
				t.Errorf("%s: plot %s: no error", name, args[0])
			}
		}
	}
	for _, args := range [][]string{nil, {"bench"}, {"bench", "none", folder}, {"soak", "none", folder}, {"other", "a", "b"}} {
		if err := run(args); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}
