package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/clusterfleet/clusterfleet/bench/internal/machine"
	"github.com/clusterfleet/clusterfleet/bench/internal/report"
)

// results is what a run leaves in files.
type results struct {
	options options
	page    report.Page // zero unless one is asked for
	machine machine.Machine
	began   time.Time
}

// openResults reads what is to be replaced, and looks at the machine while it is still idle.
func openResults(o options) (*results, error) {
	r := &results{options: o, machine: machine.This(), began: time.Now()}
	if o.markdown == "" {
		return r, nil
	}
	if o.short || o.only.String() != "" {
		return nil, errors.New("-markdown is for the whole table, in full")
	}
	text, err := os.ReadFile(o.markdown)
	if err != nil {
		return nil, fmt.Errorf("-markdown %s: %w", o.markdown, reason(err))
	}
	if r.page, err = report.ParsePage(text); err != nil {
		return nil, fmt.Errorf("-markdown %s: %w", o.markdown, err)
	}
	return r, nil
}

// write writes the files that were asked for.
func (r *results) write(rows []report.Row) error {
	if r.options.json != "" {
		document := report.NewDocument(r.machine, r.began, r.options.short, rows)
		if err := save(r.options.json, document.WriteJSON); err != nil {
			return err
		}
	}
	if r.options.markdown == "" {
		return nil
	}
	return save(r.options.markdown, func(w io.Writer) error { return r.page.Write(w, r.machine, r.began, rows) })
}

// save writes a file as a whole, or leaves the one that is there.
func save(file string, write func(io.Writer) error) error {
	var text bytes.Buffer
	if err := write(&text); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.WriteFile(file, text.Bytes(), 0o644)
}
