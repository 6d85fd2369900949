package kubeconfig

import (
	"fmt"
	"strings"

	kjson "k8s.io/apimachinery/pkg/util/json"
	v1 "k8s.io/client-go/tools/clientcmd/api/v1"
)

// entry is what is known of a kubeconfig's entry whatever it holds.
type entry struct {
	name    string
	kind    string // what its list calls it: cluster, user or context
	file    string // the file that holds it
	base    string // the folder that its relative paths start from
	problem *Problem
	used    bool
}

// named is an entry with its content, empty if there is a problem.
type named[T any] struct {
	entry
	value T
}

// bad returns the problem of an entry with this name. A context's problem names its context anyway.
func (e *entry) bad(fix, format string, args ...any) *Problem {
	what := fmt.Sprintf(format, args...)
	if e.kind != "context" {
		what = e.kind + " " + quoted(e.name) + ": " + what
	}
	return newProblem(e.file, what, fix)
}

// beaten returns the problem of an entry whose name another file has defined: it is the file's, not the context's.
func (e *entry) beaten() *Problem {
	if e.kind != "context" {
		return e.problem
	}
	return newProblem(e.file, "context "+quoted(e.name)+": "+e.problem.What, e.problem.Fix)
}

// singular returns the name of what stands in a list, which is also the field that holds an entry's content.
func singular(list string) string { return strings.TrimSuffix(list, "s") }

// format says how the entries of one list are decoded: W is client-go's type of an entry, T that of its content.
type format[W, T any] struct {
	list string
	// split returns name and content of an entry.
	split func(W) (string, T)
	// restore puts elided words back into the fields that are usually long, and returns how many it put back.
	restore func(*W, elision) int
}

// entriesOf decodes the entries of one list of a document, in their order.
func entriesOf[W, T any](doc *document, f format[W, T]) []*named[T] {
	raws := doc.lists[f.list]
	entries := make([]*named[T], 0, len(raws))
	first := make(map[string]*named[T], len(raws))
	for i, raw := range raws {
		e := decodeEntry(doc, f, raw)
		if e.name == "" {
			doc.problems = append(doc.problems, newProblem(doc.file, fmt.Sprintf("%s[%d] has no name", f.list, i),
				"give it a name that is text"))
			continue
		}
		if twin := first[e.name]; twin != nil {
			twin.problem = twin.bad("remove or rename all but one", "it is defined more than once in this file")
			continue
		}
		first[e.name] = e
		entries = append(entries, e)
	}
	return entries
}

// decodeEntry decodes one entry from JSON with elided words.
func decodeEntry[W, T any](doc *document, f format[W, T], short []byte) *named[T] {
	e := &named[T]{entry: entry{kind: singular(f.list), file: doc.file, base: doc.base}}
	var w W
	if kjson.Unmarshal(short, &w) == nil && f.restore(&w, doc.elided) == doc.elided.count(short) {
		e.name, e.value = f.split(w)
		return e
	}
	// It is broken, or a word stood at an unusual place.
	full := doc.elided.expand(short)
	var whole W
	if kjson.Unmarshal(full, &whole) == nil {
		e.name, e.value = f.split(whole)
		return e
	}
	e.name = nameOf(full)
	what, fix := misfit[W](full, e.kind)
	e.problem = e.bad(fix, "%s", what)
	return e
}

func clusterFormat() format[v1.NamedCluster, v1.Cluster] {
	return format[v1.NamedCluster, v1.Cluster]{
		list:  clusterList,
		split: func(n v1.NamedCluster) (string, v1.Cluster) { return n.Name, n.Cluster },
		restore: func(n *v1.NamedCluster, e elision) int {
			return countTrue(e.restoreBytes(&n.Cluster.CertificateAuthorityData))
		},
	}
}

func userFormat() format[v1.NamedAuthInfo, v1.AuthInfo] {
	return format[v1.NamedAuthInfo, v1.AuthInfo]{
		list:  userList,
		split: func(n v1.NamedAuthInfo) (string, v1.AuthInfo) { return n.Name, n.AuthInfo },
		restore: func(n *v1.NamedAuthInfo, e elision) int {
			u := &n.AuthInfo
			return countTrue(e.restoreBytes(&u.ClientCertificateData), e.restoreBytes(&u.ClientKeyData), e.restoreText(&u.Token))
		},
	}
}

func contextFormat() format[v1.NamedContext, v1.Context] {
	return format[v1.NamedContext, v1.Context]{
		list:    contextList,
		split:   func(n v1.NamedContext) (string, v1.Context) { return n.Name, n.Context },
		restore: func(*v1.NamedContext, elision) int { return 0 },
	}
}

func countTrue(values ...bool) int {
	n := 0
	for _, v := range values {
		if v {
			n++
		}
	}
	return n
}

// merge adds the entries whose names are new: the first file to define a name wins. What is broken in an entry that
// loses is told as well: kubectl would refuse its file.
func merge[T any](all map[string]*named[T], entries []*named[T]) []*Problem {
	var problems []*Problem
	for _, e := range entries {
		if all[e.name] == nil {
			all[e.name] = e
			continue
		}
		if e.problem != nil {
			problems = append(problems, e.beaten())
		}
	}
	return problems
}

// brokenOf returns those of a file's entries that won their name but cannot be used.
func brokenOf[T any](all map[string]*named[T], entries []*named[T]) []*entry {
	var broken []*entry
	for _, e := range entries {
		if e.problem != nil && all[e.name] == e {
			broken = append(broken, &e.entry)
		}
	}
	return broken
}
