package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// check tries the places that the flags name before there is any work: a run should not end with nowhere to put what it
// has found.
func (o options) check() error {
	for _, place := range []struct {
		flag, path string
		try        func(path string) error
	}{
		{"-programs", o.programs, tryPrograms},
		{"-cpuprofile", o.profiles, tryFolder},
		{"-json", o.json, tryFile},
		{"-markdown", o.markdown, tryFile},
	} {
		if place.path == "" {
			continue
		}
		if err := place.try(place.path); err != nil {
			return fmt.Errorf("%s %s: %w", place.flag, place.path, reason(err))
		}
	}
	return nil
}

// reason is why something could not be done, without the file with which it was tried: what the user has named is another.
func reason(err error) error {
	if tried, ok := errors.AsType[*fs.PathError](err); ok {
		return tried.Err
	}
	return err
}

func tryPrograms(folder string) error {
	for _, program := range []string{"aggregator", "fleetsim"} {
		path, err := filepath.Abs(filepath.Join(folder, program))
		if err != nil {
			return err
		}
		if _, err := exec.LookPath(path); err != nil {
			return fmt.Errorf("%s: %w", program, reason(err))
		}
	}
	return nil
}

// tryFolder finds out whether files can be written into a folder by writing one.
func tryFolder(folder string) error {
	file, err := os.CreateTemp(folder, ".clusterfleet-bench-")
	if err != nil {
		return err
	}
	return errors.Join(file.Close(), os.Remove(file.Name()))
}

// tryFile opens a file for writing, and leaves it as it is. One that is not there yet is not there afterwards.
func tryFile(path string) error {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return tryFolder(filepath.Dir(path))
	}
	if err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return file.Close()
}

// chosen returns the cases whose names match; none is an error.
func chosen(only *regexp.Regexp) ([]benchCase, error) {
	var found []benchCase
	var names []string
	for _, c := range cases() {
		names = append(names, c.name)
		if only.MatchString(c.name) {
			found = append(found, c)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("-run: no case matches %q; there are %s", only, strings.Join(names, ", "))
	}
	return found, nil
}
