package test_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/clusterfleet/clusterfleet/test/internal/realkube"
)

// object is the JSON of a Kubernetes object.
type object = map[string]any

// create writes an object as the administrator; path is that of its collection.
func create(t *testing.T, server *realkube.Server, path string, o object) {
	t.Helper()
	body, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	if status, answer := server.Do(t, http.MethodPost, path, string(body)); status != http.StatusCreated {
		t.Fatalf("%s: create %v in %s: status %d: %s", server.Name, o["metadata"], path, status, answer)
	}
}

// createMany writes n objects, several at a time.
func createMany(t *testing.T, server *realkube.Server, path string, n int, nth func(int) object) {
	t.Helper()
	group := errgroup.Group{}
	group.SetLimit(8)
	for i := range n {
		group.Go(func() error {
			body, err := json.Marshal(nth(i))
			if err != nil {
				return err
			}
			if status, answer := server.Do(t, http.MethodPost, path, string(body)); status != http.StatusCreated {
				return fmt.Errorf("%s: create object %d in %s: status %d: %s", server.Name, i, path, status, answer)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
}

func createNamespace(t *testing.T, server *realkube.Server, name string) {
	t.Helper()
	create(t, server, "/api/v1/namespaces", object{"metadata": object{"name": name}})
}

func configMap(name string, data map[string]string) object {
	return object{"metadata": object{"name": name}, "data": data}
}

// list is what an API server answers to a list, decoded.
type list struct {
	APIVersion string
	Kind       string
	Metadata   struct {
		Continue        string
		ResourceVersion string
	}
	Items []object
}

// readList reads a whole list page by page, as kubectl does.
func readList(t *testing.T, server *realkube.Server, path string) list {
	t.Helper()
	var whole list
	for next := ""; ; {
		page := list{}
		status, answer := server.Do(t, http.MethodGet, path+"?limit=500&continue="+url.QueryEscape(next), "")
		if status != http.StatusOK {
			t.Fatalf("%s: list %s: status %d: %s", server.Name, path, status, answer)
		}
		if err := json.Unmarshal(answer, &page); err != nil {
			t.Fatal(err)
		}
		page.Items = append(whole.Items, page.Items...)
		whole = page
		if next = page.Metadata.Continue; next == "" {
			return whole
		}
	}
}

// nameOf returns NAMESPACE/NAME of an object.
func nameOf(o object) string {
	metadata, _ := o["metadata"].(object)
	return fmt.Sprint(metadata["namespace"], "/", metadata["name"])
}

// decodeLines decodes a JSON document a line.
func decodeLines(t *testing.T, text string) []object {
	t.Helper()
	var objects []object
	for line := range strings.Lines(text) {
		var o object
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		objects = append(objects, o)
	}
	return objects
}
