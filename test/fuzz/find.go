package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// target is a fuzz function of a package.
type target struct {
	name string
	pkg  string // its import path
	dir  string // where its source is, and its testdata
}

// find returns the targets of a module whose names match, in the order of packages and files. It reads the source: to ask
// every test program for its list would take the linking of all of them.
func find(ctx context.Context, module string, only *regexp.Regexp) ([]target, error) {
	listed, err := goOutput(ctx, module, "list", "-json=ImportPath,Dir,TestGoFiles,XTestGoFiles", "./...")
	if err != nil {
		return nil, err
	}
	var found []target
	for decoder := json.NewDecoder(bytes.NewReader(listed)); ; {
		var p struct {
			ImportPath, Dir           string
			TestGoFiles, XTestGoFiles []string
		}
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return found, nil
		} else if err != nil {
			return nil, err
		}
		for _, file := range append(p.TestGoFiles, p.XTestGoFiles...) {
			names, err := fuzzFunctions(filepath.Join(p.Dir, file))
			if err != nil {
				return nil, err
			}
			for _, name := range names {
				if only.MatchString(name) {
					found = append(found, target{name, p.ImportPath, p.Dir})
				}
			}
		}
	}
}

// fuzzFunctions returns the names of the fuzz functions of a file.
func fuzzFunctions(path string) ([]string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Fuzz") {
			names = append(names, f.Name.Name)
		}
	}
	return names, nil
}

// build builds the test program of each package, once for all of its targets, and returns them by package.
func build(ctx context.Context, targets []target, scratch string) (map[string]string, error) {
	programs := map[string]string{}
	for _, t := range targets {
		if programs[t.pkg] != "" {
			continue
		}
		program := filepath.Join(scratch, fmt.Sprintf("%d.test", len(programs)))
		// -fuzz has the compiler put in what tells new inputs from known ones.
		if _, err := goOutput(ctx, t.dir, "test", "-c", "-vet=off", "-fuzz=.", "-o", program, "."); err != nil {
			return nil, err
		}
		programs[t.pkg] = program
	}
	return programs, nil
}

// goOutput returns what the go command prints in a folder.
func goOutput(ctx context.Context, dir string, args ...string) ([]byte, error) {
	c := exec.CommandContext(ctx, "go", args...)
	c.Dir = dir
	c.Stderr = os.Stderr
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) } // it removes what it has begun
	c.WaitDelay = 5 * time.Second
	out, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s in %s: %w", strings.Join(args, " "), dir, err)
	}
	return out, nil
}
