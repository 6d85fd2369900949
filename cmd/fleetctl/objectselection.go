package main

import (
	"cmp"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
)

// objectSelection says which objects of one type a command is about.
type objectSelection struct {
	namespace     string
	allNamespaces bool
	labelSelector string
	fieldSelector string
}

// register registers the flags; namespace is the default one, empty for all. The objects are called what.
func (s *objectSelection) register(flags *pflag.FlagSet, what, namespace string) {
	fallback := ""
	if namespace == "" {
		fallback = " (default all)"
	}
	flags.StringVarP(&s.namespace, "namespace", "n", namespace, "only "+what+" of this namespace"+fallback)
	flags.BoolVarP(&s.allNamespaces, "all-namespaces", "A", false, what+" of all namespaces")
	flags.VarP((*requirements)(&s.labelSelector), "selector", "l", "only "+what+" whose labels match; may be repeated")
}

// registerFields adds --field-selector, for a command that is about objects of any type.
func (s *objectSelection) registerFields(flags *pflag.FlagSet) {
	flags.Var((*requirements)(&s.fieldSelector), "field-selector", "only objects whose fields match, such as metadata.name!=kube-root-ca.crt; may be repeated")
}

// check checks the selection here, so that a mistake is reported without a call. name is that of the only object, empty where
// there may be many.
func (s *objectSelection) check(flags *pflag.FlagSet, name string) error {
	if err := cmp.Or(isText("NAME", name), isText("-l", s.labelSelector), isText("--field-selector", s.fieldSelector)); err != nil {
		return err
	}
	if _, err := labels.Parse(s.labelSelector); err != nil {
		return usagef("-l %q is not a label selector: %w", s.labelSelector, err)
	}
	if _, err := fields.ParseSelector(s.fieldSelector); err != nil {
		return usagef("--field-selector %q is not a field selector: %w", s.fieldSelector, err)
	}
	given := flags.Changed("namespace")
	switch {
	case name != "" && (s.labelSelector != "" || s.fieldSelector != ""):
		return usagef("name an object or select objects with -l and --field-selector, not both")
	case name != "" && s.allNamespaces:
		return usagef("an object's name is looked up in one namespace: use -n instead of -A")
	case given && s.allNamespaces:
		return usagef("-n and -A exclude each other")
	case given && !matches(namespacePattern, s.namespace):
		return usagef("%q is not a namespace's name; all namespaces are -A", s.namespace)
	}
	return nil
}

// in is the namespace that is asked for, empty for all.
func (s *objectSelection) in() string {
	if s.allNamespaces {
		return ""
	}
	return s.namespace
}

// nothing says that there are no such objects, as kubectl does.
func (s *objectSelection) nothing() string {
	if s.in() == "" {
		return "No resources found."
	}
	return "No resources found in " + s.namespace + " namespace."
}
