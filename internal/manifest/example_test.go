package manifest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/clusterfleet/clusterfleet/internal/manifest"
)

func ExampleReader() {
	body := strings.NewReader(`{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"42"},"items":[
		{"metadata":{"name":"a","namespace":"shop","managedFields":[{"manager":"kubectl"}]},"data":{"k":"v"}}]}`)
	r := manifest.NewReader(body, manifest.Options{})
	defer r.Close()
	for {
		item, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			fmt.Fprintln(os.Stdout, err)
			return
		}
		fmt.Fprintf(os.Stdout, "%s/%s %s\n", item.Namespace, item.Name, item.JSON)
	}
	fmt.Fprintf(os.Stdout, "%s at %s\n", r.Meta().Kind, r.Meta().ResourceVersion)
	// Output:
	// shop/a {"metadata":{"name":"a","namespace":"shop"},"data":{"k":"v"}}
	// ConfigMap at 42
}

func ExamplePager() {
	open := func(_ context.Context, token string) (io.ReadCloser, error) {
		page := `{"kind":"PodList","apiVersion":"v1","metadata":{"continue":"next"},"items":[{"metadata":{"name":"a"}}]}`
		if token == "next" {
			page = `{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[{"metadata":{"name":"b"}}]}`
		}
		return io.NopCloser(strings.NewReader(page)), nil
	}
	p := manifest.NewPager(open, manifest.Options{})
	for item, err := range p.All(context.Background()) {
		fmt.Fprintln(os.Stdout, item.Name, err)
	}
	fmt.Fprintln(os.Stdout, p.Pages(), "pages")
	// Output:
	// a <nil>
	// b <nil>
	// 2 pages
}
