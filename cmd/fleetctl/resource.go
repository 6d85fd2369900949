package main

import (
	"regexp"
	"strings"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

// object is what the arguments of `get` name: a type, and perhaps one object of it.
type object struct {
	resource *fleetv1.ResourceType
	name     string
}

// What the API accepts; see manifest.proto and manifest_service.proto.
const (
	resourcePattern  = `^[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?$`
	groupPattern     = `^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$`
	namespacePattern = `^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	namePattern      = `^[^/%?#\\\s\pC]+$`
)

// versionPattern tells the version of an API from the first part of its group.
const versionPattern = `^v[0-9]+((alpha|beta)[0-9]+)?$`

func matches(pattern, text string) bool { return regexp.MustCompile(pattern).MatchString(text) }

// parseObject reads TYPE, TYPE NAME or TYPE/NAME.
func parseObject(args []string) (object, error) {
	switch len(args) {
	case 0:
		return object{}, usagef("name a resource type, such as pods or deployments.apps")
	case 1, 2:
	default:
		return object{}, usagef("name at most one object, not %d: select others with -l", len(args)-1)
	}
	text, name, slash := strings.Cut(args[0], "/")
	switch {
	case slash && len(args) == 2:
		return object{}, usagef("write TYPE NAME or TYPE/NAME, not both")
	case len(args) == 2:
		name = args[1]
	}
	if (slash || len(args) == 2) && !matches(namePattern, name) {
		return object{}, usagef("%q is not an object's name", name)
	}
	resource, err := parseResource(text)
	return object{resource: resource, name: name}, err
}

// parseResource reads RESOURCE[.VERSION][.GROUP]; pods.v1 and pods.v1. are of the core group.
func parseResource(text string) (*fleetv1.ResourceType, error) {
	resource, rest, _ := strings.Cut(text, ".")
	t := &fleetv1.ResourceType{Resource: resource, Group: rest}
	if version, group, _ := strings.Cut(rest, "."); matches(versionPattern, version) {
		t.Version, t.Group = version, group
	}
	switch {
	case strings.Contains(text, ","):
		return nil, usagef("%q: name one resource type at a time", text)
	case !matches(resourcePattern, t.GetResource()), !matches(groupPattern, t.GetGroup()):
		return nil, usagef("%q is not a resource type: write RESOURCE[.VERSION][.GROUP], such as pods or deployments.v1.apps", text)
	}
	return t, nil
}
