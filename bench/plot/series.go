package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
)

// maxSeriesBytes bounds what is read of a time series: a row a second for a week.
const maxSeriesBytes = 256 << 20

// series is columns over time.
type series struct {
	seconds []float64
	names   []string
	columns [][]float64 // as many as names, each as long as seconds
}

// column returns the values of a name.
func (s series) column(name string) ([]float64, error) {
	i := slices.Index(s.names, name)
	if i < 0 {
		return nil, fmt.Errorf("it has no column %q", name)
	}
	return s.columns[i], nil
}

// readSeries reads a CSV file whose first column is seconds; what the others hold, its first line names.
func readSeries(file string) (series, error) {
	f, err := os.Open(file)
	if err != nil {
		return series{}, err
	}
	defer f.Close()
	s, err := parseSeries(io.LimitReader(f, maxSeriesBytes))
	if err != nil {
		return s, fmt.Errorf("%s: %w", file, err)
	}
	return s, nil
}

func parseSeries(r io.Reader) (series, error) {
	var s series
	lines := csv.NewReader(r)
	header, err := lines.Read()
	if err != nil {
		return s, err
	}
	if len(header) < 2 || header[0] != "seconds" {
		return s, errors.New("the first line has to be seconds and the names of further columns")
	}
	s.names, s.columns = header[1:], make([][]float64, len(header)-1)
	for {
		line, err := lines.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return s, err
		}
		if err := s.add(line); err != nil {
			row, _ := lines.FieldPos(0)
			return s, fmt.Errorf("line %d: %w", row, err)
		}
	}
	if len(s.seconds) < 2 {
		return s, errors.New("there is nothing between two points in time")
	}
	return s, nil
}

// add adds a line that has as many fields as the header.
func (s *series) add(line []string) error {
	for i, field := range line {
		v, err := strconv.ParseFloat(field, 64)
		if err != nil {
			return err
		}
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("%s is no number to draw", field)
		}
		if i == 0 {
			s.seconds = append(s.seconds, v)
			continue
		}
		s.columns[i-1] = append(s.columns[i-1], v)
	}
	return nil
}
