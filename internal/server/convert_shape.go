package server

import (
	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/safetext"
	"github.com/clusterfleet/clusterfleet/internal/shape"
)

// fetchShape compiles what a request wants of objects, once for all clusters.
func fetchShape(r *fleetv1.FetchManifestsRequest) (shape.Shape, error) {
	projection, err := projection(r.GetOutput())
	if err != nil || r.GetWhere() == "" {
		return shape.Shape{Projection: projection}, err
	}
	if r.GetOutput().GetFormat() == fleetv1.Output_FORMAT_TABLE {
		return shape.Shape{}, invalidField("where", "an expression is not for FORMAT_TABLE: the API server makes the rows, without the objects")
	}
	where, err := shape.ParseWhere(r.GetWhere())
	if err != nil {
		return shape.Shape{}, invalidField("where", safetext.Clean(err.Error()))
	}
	return shape.Shape{Where: where, Projection: projection}, nil
}

// projection compiles an output's template, nil where there is none.
func projection(o *fleetv1.Output) (*shape.Projection, error) {
	if o.GetJsonPath() == "" {
		return nil, nil
	}
	if o.GetFormat() == fleetv1.Output_FORMAT_TABLE {
		return nil, invalidField("output.json_path", "a template is not for FORMAT_TABLE: the API server makes the rows, without the objects")
	}
	p, err := shape.ParseProjection(o.GetJsonPath())
	if err != nil {
		return nil, invalidField("output.json_path", safetext.Clean(err.Error()))
	}
	return p, nil
}
