// Command plot draws what the benchmarks and the soak found, as SVG that GitHub shows: a white ground, text as text.
// It is a module of its own, so that no library for pictures comes near the product.
//
//	plot bench FILE.json FOLDER   ratios.svg, memory.svg and rounds.svg of what bench -json wrote
//	plot soak FILE.csv OUT.svg    what docs/soak.md judges and tells, over the time of a run that bench/soak -csv wrote
//
// It prints the paths of the pictures.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "plot:", err)
		os.Exit(1)
	}
}

var errUsage = errors.New("usage: plot bench FILE.json FOLDER | plot soak FILE.csv OUT.svg")

func run(args []string, stdout io.Writer) error {
	if len(args) != 3 {
		return errUsage
	}
	plot.DefaultFont = font.Font{Typeface: "Liberation", Variant: "Sans"}
	switch args[0] {
	case "bench":
		return drawBench(args[1], args[2], stdout)
	case "soak":
		return drawSoak(args[1], args[2], stdout)
	}
	return errUsage
}

// drawBench draws all pictures of a run.
func drawBench(file, folder string, stdout io.Writer) error {
	found, err := readRun(file)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for _, picture := range []struct {
		name, title string
		groups      []group
		draw        func(title string, groups []group) ([]byte, error)
	}{
		{"ratios.svg", "Times the floor: 1 is the least that the work can take", ratios(found.Rows), drawRatios},
		{"memory.svg", "Peak resident memory", memory(found.Rows), drawMemory},
		{"rounds.svg", "How far the rounds are apart", rounds(found.Rows), drawRounds},
	} {
		if len(picture.groups) == 0 {
			continue // a run of some cases has not everything
		}
		svg, err := picture.draw(found.title(picture.title), picture.groups)
		if err != nil {
			return fmt.Errorf("%s: %w", picture.name, err)
		}
		if err := save(filepath.Join(folder, picture.name), svg, stdout); err != nil {
			return err
		}
	}
	return nil
}

func drawSoak(file, out string, stdout io.Writer) error {
	s, err := readSeries(file)
	if err != nil {
		return err
	}
	svg, err := drawRests(s)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return save(out, svg, stdout)
}

// save writes a picture and prints where it is.
func save(file string, svg []byte, stdout io.Writer) error {
	if err := os.WriteFile(file, svg, 0o644); err != nil {
		return err
	}
	_, err := fmt.Fprintln(stdout, file)
	return err
}
