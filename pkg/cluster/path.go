package cluster

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
)

// TypeName names a resource type as a user does. Without a version it is discovered, and Name may be a singular name, a
// kind or a short name as well; Group then may be empty for any group.
type TypeName struct {
	Group, Version, Name string
}

// String returns the name as kubectl takes it: name.version.group.
func (n TypeName) String() string {
	parts := []string{n.Name}
	if n.Version != "" {
		parts = append(parts, n.Version)
	}
	if n.Group != "" {
		parts = append(parts, n.Group)
	}
	return strings.Join(parts, ".")
}

// Resource is a resource type as one cluster serves it.
type Resource struct {
	Group, Version, Plural, Kind string
	Namespaced                   bool
}

// APIVersion returns the apiVersion of the resource's objects.
func (r Resource) APIVersion() string {
	if r.Group == "" {
		return r.Version
	}
	return r.Group + "/" + r.Version
}

// Query says what to read.
type Query struct {
	Type TypeName
	// Namespace is empty for all namespaces; it does not matter for cluster-scoped types.
	Namespace string
	// Name is empty for a list.
	Name string
	// LabelSelector and FieldSelector narrow a list, in the syntax of Kubernetes.
	LabelSelector, FieldSelector string
	Format                       Format
	// Limit is how many objects one page of a list is to have; 0, or more than PageSize: PageSize.
	Limit int
	// AllowStale lets the server answer from its cache: see docs/decisions/0009.
	AllowStale bool
}

// Format is the form in which a server is asked for objects.
type Format int

// The forms of objects.
const (
	FullFormat Format = iota
	MetadataFormat
	TableFormat
)

func (f Format) accept(list bool) string {
	switch f {
	case FullFormat:
	case MetadataFormat:
		if list {
			return "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
		}
		return "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
	case TableFormat:
		return "application/json;as=Table;g=meta.k8s.io;v=v1"
	}
	return "application/json"
}

// Validate reports what is wrong with a query before anything is sent: nothing in it may change the path.
func (q Query) Validate() error {
	if err := q.Type.validate(); err != nil {
		return err
	}
	if q.Namespace != "" {
		if wrong := content.IsDNS1123Label(q.Namespace); len(wrong) > 0 {
			return fmt.Errorf("namespace %q: %s", q.Namespace, wrong[0])
		}
	}
	if q.Name != "" {
		if err := validateObjectName(q.Name); err != nil {
			return err
		}
		if q.LabelSelector != "" || q.FieldSelector != "" {
			return fmt.Errorf("a name (%q) cannot be combined with a selector", q.Name)
		}
	}
	if _, err := labels.Parse(q.LabelSelector); err != nil {
		return fmt.Errorf("label selector %q: %w", q.LabelSelector, err)
	}
	if _, err := fields.ParseSelector(q.FieldSelector); err != nil {
		return fmt.Errorf("field selector %q: %w", q.FieldSelector, err)
	}
	return nil
}

func (n TypeName) validate() error {
	if n.Group != "" {
		if wrong := content.IsDNS1123Subdomain(n.Group); len(wrong) > 0 {
			return fmt.Errorf("API group %q: %s", n.Group, wrong[0])
		}
	}
	if n.Version != "" {
		if wrong := content.IsDNS1123Label(n.Version); len(wrong) > 0 {
			return fmt.Errorf("API version %q: %s", n.Version, wrong[0])
		}
	}
	if wrong := content.IsDNS1123Label(strings.ToLower(n.Name)); len(wrong) > 0 {
		return fmt.Errorf("resource type %q: %s", n.Name, wrong[0])
	}
	return nil
}

// validateObjectName allows what Kubernetes allows in a path segment, less what a proxy on the way might read as more
// than a name.
func validateObjectName(name string) error {
	if len(name) > 253 || !utf8.ValidString(name) || name == "." || name == ".." {
		return fmt.Errorf("%q is no object name", name)
	}
	for _, r := range name {
		if r == ' ' || !unicode.IsPrint(r) || strings.ContainsRune(`/%?#\;`, r) {
			return fmt.Errorf("%q is no object name: it contains %q", name, r)
		}
	}
	return nil
}

func (q Query) pageSize() int {
	if q.Limit <= 0 {
		return PageSize
	}
	return min(q.Limit, PageSize)
}

// path returns where the resource's objects are.
func (r Resource) path(namespace, name string) string {
	var b strings.Builder
	if r.Group == "" {
		b.WriteString("/api/")
	} else {
		b.WriteString("/apis/")
		b.WriteString(r.Group)
		b.WriteByte('/')
	}
	b.WriteString(r.Version)
	if r.Namespaced && namespace != "" {
		b.WriteString("/namespaces/")
		b.WriteString(namespace)
	}
	b.WriteByte('/')
	b.WriteString(r.Plural)
	if name != "" {
		b.WriteByte('/')
		b.WriteString(name)
	}
	return b.String()
}

func (q Query) parameters(continueToken string) string {
	values := url.Values{}
	if q.AllowStale && continueToken == "" { // a token has a version of its own, beside which servers accept no other
		values.Set("resourceVersion", "0")
	}
	if q.Name != "" {
		return values.Encode()
	}
	values.Set("limit", strconv.Itoa(q.pageSize()))
	if q.LabelSelector != "" {
		values.Set("labelSelector", q.LabelSelector)
	}
	if q.FieldSelector != "" {
		values.Set("fieldSelector", q.FieldSelector)
	}
	if continueToken != "" {
		values.Set("continue", continueToken)
	}
	return values.Encode()
}
