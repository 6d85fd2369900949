package output

import (
	"bytes"
	"encoding/json"
	"errors"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/anypb"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

// Message returns a message as protojson on one line. Details of a type that this program does not know, of a newer
// aggregator, are left out: protojson has no form for them. The counts of `started`, `summary`, of the overview, of resource
// types and of a comparison's totals are there also where they are 0, so that programs can compare them.
func Message(m proto.Message) (json.RawMessage, error) {
	options := protojson.MarshalOptions{EmitDefaultValues: counts(m)}
	raw, err := options.Marshal(m)
	if err != nil {
		m = proto.Clone(m)
		dropUnknown(m.ProtoReflect())
		if raw, err = options.Marshal(m); err != nil {
			return nil, err
		}
	}
	// protojson varies its spaces on purpose.
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		return nil, err
	}
	return compact.Bytes(), nil
}

// counts tells whether a message has counts, or is an event that carries one that has.
func counts(m proto.Message) bool {
	switch m := m.(type) {
	case *fleetv1.Started, *fleetv1.Summary, *fleetv1.GetFleetOverviewResponse,
		*fleetv1.ListResourceTypesResponse, *fleetv1.ServedType, *fleetv1.ComparisonTotals:
		return true
	case *fleetv1.CompareManifestsResponse:
		return m.GetStarted() != nil || m.GetSummary() != nil || m.GetTotals() != nil
	case interface {
		GetStarted() *fleetv1.Started
		GetSummary() *fleetv1.Summary
	}:
		return m.GetStarted() != nil || m.GetSummary() != nil
	}
	return false
}

// dropUnknown removes list elements that are google.protobuf.Any of an unknown type, at any depth.
func dropUnknown(m protoreflect.Message) {
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.IsMap() || field.Message() == nil:
		case field.IsList():
			list := value.List()
			kept := 0
			for i := range list.Len() {
				if element := list.Get(i); known(element.Message()) {
					dropUnknown(element.Message())
					list.Set(kept, element)
					kept++
				}
			}
			list.Truncate(kept)
		default:
			dropUnknown(value.Message())
		}
		return true
	})
}

func known(m protoreflect.Message) bool {
	detail, ok := m.Interface().(*anypb.Any)
	if !ok {
		return true
	}
	_, err := protoregistry.GlobalTypes.FindMessageByURL(detail.GetTypeUrl())
	return !errors.Is(err, protoregistry.NotFound)
}
