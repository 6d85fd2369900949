package kubeconfig

import (
	"maps"
	"slices"
	"strings"

	v1 "k8s.io/client-go/tools/clientcmd/api/v1"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// Options says what kubeconfigs may ask for. The zero value allows what is safe without a terminal.
type Options struct {
	// CredentialPlugins are the exec plugins that may be run; nil means DefaultCredentialPlugins, "*" allows all. A base
	// name such as "aws" allows that program where the PATH of this process finds it, a full path that very file. The
	// plugin's arguments and environment come from the kubeconfig: the list is no fence around a file from a stranger.
	CredentialPlugins []string
	// AllowInsecure accepts clusters with insecure-skip-tls-verify: anyone on the way can then read their credentials.
	AllowInsecure bool
}

// Load reads the files in order and makes each context a cluster. The files are merged as kubectl merges a
// KUBECONFIG list: the first file to define a name wins, relative paths start at the folder of the file they stand in.
// Empty and repeated names of files are passed over.
//
// It returns the definitions in the order of their names, and a Problem for each context, entry or file that cannot be
// used: those of files first, then those of contexts by name. One broken entry or file leaves the others as they are.
// A definition's Config equals what kubectl would use, except that a credential plugin never gets the terminal.
// Definitions share what their kubeconfig shares; none of it may be changed.
//
// Of the file system it reads the given files and the regular files that their used entries name, and writes nothing;
// it starts no program and opens no connection.
func Load(files []string, opts Options) ([]cluster.Definition, []*Problem) {
	return newMerged(opts, readRegular).load(files)
}

// merged is what several kubeconfig files say together.
type merged struct {
	plugins  pluginRule
	insecure bool
	evidence *evidence

	contexts map[string]*named[v1.Context]
	clusters map[string]*named[v1.Cluster]
	users    map[string]*named[v1.AuthInfo]
	broken   []*entry // clusters and users that cannot be read: told even if no context wants them

	endpoints  map[string]resolved[endpoint]
	identities map[string]resolved[identity]
}

// resolved is what an entry comes to: many contexts may share it.
type resolved[T any] struct {
	value   T
	problem *Problem
}

func newMerged(opts Options, read readFunc) *merged {
	return &merged{
		plugins:    newPluginRule(opts.CredentialPlugins),
		insecure:   opts.AllowInsecure,
		evidence:   newEvidence(read),
		contexts:   map[string]*named[v1.Context]{},
		clusters:   map[string]*named[v1.Cluster]{},
		users:      map[string]*named[v1.AuthInfo]{},
		endpoints:  map[string]resolved[endpoint]{},
		identities: map[string]resolved[identity]{},
	}
}

func (k *merged) load(files []string) ([]cluster.Definition, []*Problem) {
	var problems []*Problem
	seen := map[string]bool{"": true}
	for _, file := range files {
		if seen[file] {
			continue
		}
		seen[file] = true
		problems = append(problems, k.add(file)...)
	}
	if len(seen) == 1 {
		return nil, []*Problem{newProblem("", "no kubeconfig file is given", "name at least one")}
	}
	definitions, contextProblems := k.definitions()
	for _, e := range k.broken {
		if !e.used {
			problems = append(problems, e.problem)
		}
	}
	problems = append(problems, contextProblems...)
	if len(definitions) == 0 && len(problems) == 0 {
		problems = append(problems, newProblem(strings.Join(files, ":"), "there is no context at all",
			"add one under contexts: every context is a cluster"))
	}
	return definitions, problems
}

// definitions returns what the contexts come to, by name.
func (k *merged) definitions() ([]cluster.Definition, []*Problem) {
	definitions := make([]cluster.Definition, 0, len(k.contexts))
	var problems []*Problem
	for _, name := range slices.Sorted(maps.Keys(k.contexts)) {
		definition, problem := k.definition(name, k.contexts[name])
		if problem != nil {
			problems = append(problems, problem.in(name))
			continue
		}
		definitions = append(definitions, definition)
	}
	return definitions, problems
}

// add reads one file and merges it behind those before it.
func (k *merged) add(file string) []*Problem {
	doc, problem := readDocument(file)
	if problem != nil {
		return []*Problem{problem}
	}
	clusters := entriesOf(doc, clusterFormat())
	users := entriesOf(doc, userFormat())
	contexts := entriesOf(doc, contextFormat())
	problems := append(doc.problems, merge(k.clusters, clusters)...)
	problems = append(problems, merge(k.users, users)...)
	problems = append(problems, merge(k.contexts, contexts)...)
	k.broken = append(k.broken, brokenOf(k.clusters, clusters)...)
	k.broken = append(k.broken, brokenOf(k.users, users)...)
	return problems
}
