package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/clusterfleet/clusterfleet/cmd/fleetctl/internal/output"
	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

// sink prints what a fetch delivers.
type sink interface {
	// add takes a batch and returns which of its objects cannot be printed; an error ends the fetch.
	add(*fleetv1.ManifestBatch) (bad []failure, err error)
	// close prints what add kept and ends what it began.
	close() error
}

func (a *app) sink(f getFlags, wanted object, format output.Format) sink {
	switch {
	case f.groupBy != "":
		return &groups{app: a, printing: f.printing, format: format}
	case f.where != "" && format.Kind == output.Table:
		return &brief{out: a.stdout, namespaces: f.allNamespaces, noHeadings: f.noHeadings}
	}
	switch format.Kind {
	case output.Table, output.Wide:
		return &tables{out: a.stdout, wide: format.Kind == output.Wide, namespaces: f.allNamespaces, noHeadings: f.noHeadings}
	case output.Name:
		return &names{app: a, namespaces: f.allNamespaces, asked: wanted.resource}
	case output.JSONL:
		return objects{lines{a.plain()}}
	case output.JSON, output.YAML:
		return objects{output.NewList(a.plain(), format.Kind)}
	default:
		return objects{&whole{app: a, format: format, noHeadings: f.noHeadings, items: map[string][]item{}}}
	}
}

// objects gives each object, with its origin and its type, to a printer.
type objects struct {
	printer interface {
		Add(object []byte, cluster string) error
		Close() error
	}
}

func (o objects) add(batch *fleetv1.ManifestBatch) (bad []failure, err error) {
	for _, m := range batch.GetManifests() {
		object, unprintable := output.Object(m.GetJson(), batch.GetApiVersion(), batch.GetKind(), batch.GetCluster())
		if unprintable == nil {
			err := o.printer.Add(object, batch.GetCluster())
			if err != nil && !errors.Is(err, output.ErrUnprintable) {
				return bad, err
			}
			unprintable = err
		}
		if unprintable != nil {
			name := strings.TrimPrefix(m.GetNamespace()+"/"+m.GetName(), "/")
			bad = append(bad, failure{batch.GetCluster(), fmt.Errorf("%s is left out: %w", name, unprintable)})
		}
	}
	return bad, nil
}

func (o objects) close() error { return o.printer.Close() }

// lines prints an object a line.
type lines struct{ w io.Writer }

func (l lines) Add(object []byte, _ string) error {
	_, err := l.w.Write(append(object, '\n'))
	return err
}

func (lines) Close() error { return nil }

// names prints CLUSTER, NAMESPACE where there are several, and TYPE/NAME, a line an object, with tabs between them.
type names struct {
	app        *app
	namespaces bool
	asked      *fleetv1.ResourceType
}

func (n *names) add(batch *fleetv1.ManifestBatch) ([]failure, error) {
	kind := n.kind(batch)
	for _, m := range batch.GetManifests() {
		fields := []string{batch.GetCluster(), kind + "/" + m.GetName()}
		if n.namespaces {
			fields = slices.Insert(fields, 1, m.GetNamespace())
		}
		if err := n.app.name(fields...); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// kind is the type as kubectl names it: pod, deployment.apps. Where the cluster does not tell it, it is what was asked for.
func (n *names) kind(batch *fleetv1.ManifestBatch) string {
	kind := strings.ToLower(batch.GetKind())
	if kind == "" || kind == "partialobjectmetadata" {
		return strings.ToLower(typeName(&fleetv1.ResourceType{Resource: n.asked.GetResource(), Group: n.asked.GetGroup()}))
	}
	if group, _, ok := strings.Cut(batch.GetApiVersion(), "/"); ok {
		kind += "." + group
	}
	return kind
}

func (*names) close() error { return nil }

// item is what is kept of one object.
type item struct {
	cells    []string
	document any
}

// whole keeps all objects, or their custom columns, and prints them in the order of the clusters' names.
type whole struct {
	app        *app
	format     output.Format
	noHeadings bool
	items      map[string][]item
}

func (w *whole) Add(object []byte, cluster string) error {
	var kept item
	var err error
	if w.format.Kind == output.CustomColumns {
		kept.cells, err = w.format.Cells(object)
	} else {
		kept.document, err = output.Decode(object)
	}
	if err == nil {
		w.items[cluster] = append(w.items[cluster], kept)
	}
	return err
}

func (w *whole) Close() error {
	grid := output.Grid{Headings: w.format.Headings(), NoHeadings: w.noHeadings}
	documents := []any{}
	for _, cluster := range slices.Sorted(maps.Keys(w.items)) {
		for _, item := range w.items[cluster] {
			grid.Row(item.cells...)
			documents = append(documents, item.document)
		}
	}
	if w.format.Kind == output.CustomColumns {
		return grid.Write(w.app.stdout)
	}
	list := map[string]any{"apiVersion": "v1", "kind": "List", "metadata": map[string]any{"resourceVersion": ""}, "items": documents}
	return w.format.Execute(w.app.plain(), list)
}
