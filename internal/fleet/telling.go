package fleet

import (
	"context"
	"errors"
	"iter"

	"github.com/clusterfleet/clusterfleet/internal/compare"
)

const (
	// maxDiffs is how many diffs an object gets.
	maxDiffs = 10
	// maxObjectMessage bounds what is told of an object: with what stands around it, it fits into a message of 4 MiB.
	maxObjectMessage = 4<<20 - 64<<10
	// variantBytes is what a variant takes in a message beside its clusters and its diff: a hash, a word why there is no diff,
	// and what stands around them. nameBytes is what a name takes beside its letters.
	variantBytes = 112
	nameBytes    = 4
	// windowObjects, windowReads and windowBytes bound what is looked at, read again and held at once.
	windowObjects = 64
	windowReads   = 64
	windowBytes   = 8 << 20
)

const (
	beyondDiffs  = "an object gets at most 10 diffs"
	noRoom       = "the message has no room"
	outOfTime    = "the call's time ran out"
	tooLarge     = "the object is too large"
	baseTooLarge = "the baseline is too large"
	noYAML       = "the object cannot be shown as YAML"
	baseNoYAML   = "the baseline cannot be shown as YAML"
)

// room is how many bytes an object's diffs may have in a message, if it is in a form of its own in each cluster.
func room(members []*member) int {
	left := maxObjectMessage
	for _, m := range members {
		left -= len(m.name()) + nameBytes + variantBytes
	}
	return left
}

// objects yields what is to be told, in the order of namespaces and names, until ctx ends.
func (c *comparison) objects(ctx context.Context) iter.Seq[*ComparedObject] {
	return func(yield func(*ComparedObject) bool) {
		if ctx.Err() != nil {
			return
		}
		w := &window{comparison: c, down: map[int]string{}}
		for found := range c.found.Objects(c.against) {
			if ctx.Err() != nil {
				return
			}
			if found.Same() && !c.request.IncludeEqual {
				continue
			}
			if w.add(found); w.full() && !w.tell(ctx, yield) {
				return
			}
		}
		w.tell(ctx, yield)
	}
}

// object makes what is told of an object.
func (w *window) object(ctx context.Context, found *compare.Found) *ComparedObject {
	told := &ComparedObject{Namespace: found.Namespace, Name: found.Name, Missing: w.names(found.Missing)}
	for _, v := range found.Variants {
		told.Variants = append(told.Variants, ComparedVariant{Clusters: w.names(v.Clusters), Hash: v.Hash})
	}
	if len(found.Variants) > 1 {
		w.diff(ctx, found, told.Variants)
	}
	return told
}

func (w *window) names(clusters []int) []string {
	var names []string
	for _, cluster := range clusters {
		names = append(names, w.members[cluster].name())
	}
	return names
}

// diff makes the diffs of all variants but the first one, which is the baseline.
func (w *window) diff(ctx context.Context, found *compare.Found, told []ComparedVariant) {
	left := room(w.members)
	baseline, unknown := w.yaml(ctx, found, 0)
	switch unknown {
	case tooLarge:
		unknown = baseTooLarge
	case noYAML:
		unknown = baseNoYAML
	}
	for i := range told[1:] {
		v := &told[i+1]
		switch {
		case i >= maxDiffs:
			v.Omitted = beyondDiffs
			continue
		case ctx.Err() != nil:
			v.Omitted = outOfTime
			continue
		case unknown != "":
			v.Omitted = unknown
			continue
		case left <= 0:
			v.Omitted = noRoom
			continue
		}
		text, unknown := w.yaml(ctx, found, i+1)
		if unknown != "" {
			v.Omitted = unknown
			continue
		}
		v.Diff, v.Omitted = compare.Unified(told[0].Clusters[0], baseline, v.Clusters[0], text, left)
		left -= len(v.Diff)
	}
}

// yaml returns a variant as it is shown in diffs, or why it cannot be.
func (w *window) yaml(ctx context.Context, found *compare.Found, variant int) (text []byte, unknown string) {
	switch {
	case ctx.Err() != nil:
		return nil, outOfTime
	case found.Variants[variant].Size > compare.MaxContent:
		return nil, tooLarge
	}
	content := w.found.Content(found, found.Variants[variant])
	if content == nil {
		again := w.again[wanted{found, variant}]
		if again.unknown != "" {
			return nil, again.unknown
		}
		content = again.content
	}
	text, err := compare.YAML(content)
	switch {
	case errors.Is(err, compare.ErrLarge):
		return nil, tooLarge
	case err != nil:
		return nil, noYAML
	}
	return text, ""
}
