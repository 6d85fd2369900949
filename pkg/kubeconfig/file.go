package kubeconfig

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	kjson "k8s.io/apimachinery/pkg/util/json"
	kyaml "k8s.io/apimachinery/pkg/util/yaml"
)

const (
	maxKubeconfigBytes = 64 << 20
	maxReferencedBytes = 4 << 20 // of a certificate, key or token file
)

// The lists of a kubeconfig.
const (
	clusterList = "clusters"
	userList    = "users"
	contextList = "contexts"
)

// document is one kubeconfig file, cut into the entries of its lists and not decoded further: what is wrong with one
// entry must not touch another.
type document struct {
	file     string
	base     string // the folder that relative paths start from
	lists    map[string][]json.RawMessage
	elided   elision
	problems []*Problem // lists that are none
}

// readDocument reads a kubeconfig file. An empty one is a document without entries, as for kubectl.
func readDocument(file string) (*document, *Problem) {
	data, err := readFile(file, maxKubeconfigBytes)
	if err != nil {
		return nil, newProblem(file, "the file "+unreadable(err), "correct the path or the file's permissions")
	}
	base, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		return nil, newProblem(file, "the working directory cannot be determined", "give an absolute path")
	}
	doc := &document{file: file, base: base, lists: map[string][]json.RawMessage{}}
	short, elided := elide(data)
	doc.elided = elided
	text, err := yamlToJSON(short)
	if err != nil {
		return nil, yamlProblem(file, data, err)
	}
	var top map[string]json.RawMessage
	if err := kjson.Unmarshal(text, &top); err != nil {
		return nil, newProblem(file, "it is not a kubeconfig: its top level is no mapping", "name a kubeconfig file")
	}
	if !isText(top["kind"], "Config") || !isText(top["apiVersion"], "v1") {
		return nil, newProblem(file, "it is not a kubeconfig: kind must be Config and apiVersion v1", "name a kubeconfig file")
	}
	for _, list := range []string{clusterList, userList, contextList} {
		doc.cut(list, top[list])
	}
	return doc, nil
}

// yamlToJSON converts a YAML text, JSON among it, as kubectl does. kyaml alone would take all that begins with a brace for
// JSON; behind a document's marker it does not.
func yamlToJSON(text []byte) ([]byte, error) {
	if kyaml.IsJSONBuffer(text) {
		text = append([]byte("--- "), text...)
	}
	return kyaml.ToJSON(text)
}

// isText tells whether a value is absent, empty or the one text that is wanted.
func isText(raw json.RawMessage, want string) bool {
	var s string
	return raw == nil || json.Unmarshal(raw, &s) == nil && (s == "" || s == want)
}

func (d *document) cut(list string, raw json.RawMessage) {
	if raw == nil {
		return
	}
	var entries []json.RawMessage
	if err := kjson.Unmarshal(raw, &entries); err != nil {
		d.problems = append(d.problems, newProblem(d.file, list+" is no list", "begin each of its entries with a dash"))
		return
	}
	d.lists[list] = entries
}

// readFunc reads a file that a kubeconfig names.
type readFunc func(path string) ([]byte, error)

// readRegular reads a file that a kubeconfig names: a small regular one, so that no device or pipe can hold the load.
func readRegular(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() && !info.Mode().IsRegular() {
		return nil, errors.New("is no regular file")
	}
	return readFile(path, maxReferencedBytes)
}

// readFile reads at most limit bytes. Its errors can be shown with unreadable.
func readFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, errors.New("is a directory")
	}
	if info.Size() > limit {
		return nil, tooLarge(limit)
	}
	var b bytes.Buffer
	b.Grow(int(info.Size()) + bytes.MinRead)
	// One byte more than there may be shows a pipe that does not end.
	if n, err := b.ReadFrom(io.LimitReader(f, limit+1)); err != nil || n > limit {
		return nil, cmp.Or(err, tooLarge(limit))
	}
	return b.Bytes(), nil
}

func tooLarge(limit int64) error { return fmt.Errorf("is larger than %d MiB", limit>>20) }

// unreadable says why a file could not be read, as the end of a sentence.
func unreadable(err error) string {
	var p *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "does not exist"
	case errors.As(err, &p):
		return "cannot be read: " + p.Err.Error()
	}
	return err.Error()
}
