package hibernation

import "strconv"

// DefaultAnnotation is where the hibernator keeps the number of replicas unless it is told otherwise.
const DefaultAnnotation = "hibernator.devtron.ai/replicas"

// Workload is what hibernation has to do with one object.
type Workload struct {
	// Eligible says that `spec.replicas` is a number of replicas, 0 to 2³¹−1. Without one, a controller decides how many
	// there are, and nothing can be said: API servers write the default of Deployments, StatefulSets and ReplicaSets.
	Eligible bool
	// Controlled says that another object controls this one, as a Deployment does its ReplicaSets.
	Controlled bool
	// Replicas is what an eligible one asks for.
	Replicas int64
	// Asleep says that an eligible one asks for 0 replicas and that the annotation is there and not "0".
	Asleep bool
	// Before is what one that sleeps asked for before: what the annotation says, 0 where that is no number of replicas.
	Before int64
}

func (f found) workload() Workload {
	w := Workload{Controlled: f.controlled}
	w.Replicas, w.Eligible = number(f.replicas)
	w.Asleep = w.Eligible && w.Replicas == 0 && f.annotated && f.annotation != "0"
	if w.Asleep {
		w.Before, _ = number(f.annotation)
	}
	return w
}

// number returns a number of replicas as the API knows it, 0 for anything else.
func number(text string) (int64, bool) {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 0 {
		return 0, false
	}
	return n, true
}
