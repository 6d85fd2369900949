package simulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/yaml"
)

// Scenario is what goes wrong in a fleet, where and when.
type Scenario struct {
	Rules []Rule
}

// Rule is one fault in some clusters for some time.
type Rule struct {
	// Clusters is a name, a glob, several of them separated by commas, a label selector, or a percentage of the fleet.
	Clusters string
	// From and To are measured from the moment at which Start returns; To 0 is for ever.
	From, To time.Duration
	Fault    Fault
	// Period makes the fault come and go: it is on for the first half of each period. 0 keeps it on.
	Period time.Duration
}

// flap is how a scenario asks for a Rule with a Period; `as` names the fault that comes and goes.
const flap Kind = "flap"

const defaultFlapPeriod = 20 * time.Second

// ParseScenario reads a scenario, YAML or JSON: `faults:` and a list. Nothing is overlooked: a field that its fault
// does not know is an error, which names the fault by its place in the list.
func ParseScenario(text []byte) (*Scenario, error) {
	data, err := yaml.YAMLToJSONStrict(text)
	if err != nil {
		return nil, fmt.Errorf("scenario: %s", strings.Join(strings.Fields(err.Error()), " ")) // it may have many lines
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return nil, errors.New("scenario: want an object with a list of faults")
	}
	for name := range fields {
		if name != "faults" {
			return nil, fmt.Errorf("scenario: unknown field %q; known is faults", name)
		}
	}
	var entries []json.RawMessage
	if err := json.Unmarshal(fields["faults"], &entries); err != nil || len(entries) == 0 {
		return nil, errors.New("scenario: faults: want a list with at least one fault")
	}
	s := &Scenario{}
	for i, entry := range entries {
		rule, err := parseRule(entry)
		if err != nil {
			return nil, fmt.Errorf("scenario: fault %d: %w", i+1, err)
		}
		s.Rules = append(s.Rules, rule)
	}
	return s, nil
}

// entry is a rule as it is written.
type entry struct {
	Clusters   string             `json:"clusters"`
	From       delay              `json:"from"`
	To         delay              `json:"to"`
	For        delay              `json:"for"`
	Fault      Kind               `json:"fault"`
	Paths      []string           `json:"paths"`
	As         Kind               `json:"as"`
	Period     delay              `json:"period"`
	Latency    string             `json:"latency"`
	Interval   delay              `json:"interval"`
	RetryAfter int                `json:"retryAfter"`
	Status     int                `json:"status"`
	Location   string             `json:"location"`
	Checks     []string           `json:"checks"`
	Bytes      *resource.Quantity `json:"bytes"`
	Depth      int                `json:"depth"`
	Offset     offset             `json:"offset"`
	At         HangPoint          `json:"at"`
	Times      int                `json:"times"`
	Fresh      bool               `json:"fresh"`
}

// delay is a duration written as 1m30s.
type delay time.Duration

// UnmarshalJSON implements json.Unmarshaler.
func (d *delay) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return fmt.Errorf("%s is not a duration like 30s", data)
	}
	parsed, err := parseDelay(text)
	*d = delay(parsed)
	return err
}

// offset is a duration that may be negative.
type offset time.Duration

// UnmarshalJSON implements json.Unmarshaler.
func (o *offset) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return fmt.Errorf("%s is not a duration like -5m", data)
	}
	parsed, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("%q is not a duration like -5m", text)
	}
	*o = offset(parsed)
	return nil
}

func parseRule(data []byte) (Rule, error) {
	var given map[string]json.RawMessage
	if err := json.Unmarshal(data, &given); err != nil {
		return Rule{}, errors.New("want an object with clusters and fault")
	}
	var e entry
	if err := json.Unmarshal(data, &e); err != nil {
		return Rule{}, describe(err)
	}
	rule, err := e.rule(given)
	if err != nil && e.Fault != "" {
		return Rule{}, fmt.Errorf("(%s) %w", e.Fault, err)
	}
	return rule, err
}

// describe replaces the words of encoding/json, which speak of Go types.
func describe(err error) error {
	if mismatch, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%s: unexpected %s", mismatch.Field, mismatch.Value)
	}
	return err
}

func (e entry) rule(given map[string]json.RawMessage) (Rule, error) {
	if e.Clusters == "" || e.Fault == "" {
		return Rule{}, errors.New("clusters and fault are required")
	}
	rule := Rule{Clusters: e.Clusters, From: time.Duration(e.From), To: time.Duration(e.To)}
	known := []string{"clusters", "fault", "from", "to", "for", "paths"}
	kind := e.Fault
	if kind == flap {
		known = append(known, "as", "period")
		kind, rule.Period = e.As, time.Duration(e.Period)
		setDefault(&kind, Error503)
		setDefault(&rule.Period, defaultFlapPeriod)
	} else if _, ok := traits()[kind]; !ok {
		return Rule{}, fmt.Errorf("unknown fault %q; known are %s", kind, joinKinds(append(Kinds(), flap)))
	}
	fault, t, err := e.fault(kind)
	if err != nil {
		return Rule{}, err
	}
	rule.Fault = fault
	known = append(known, t.takes...)
	for name := range given {
		if !slices.Contains(known, name) {
			return Rule{}, fmt.Errorf("unknown field %q; known are %s", name, strings.Join(known, ", "))
		}
	}
	if e.For != 0 {
		if e.To != 0 {
			return Rule{}, errors.New("to and for exclude each other")
		}
		rule.To = rule.From + time.Duration(e.For)
	}
	if rule.To != 0 && rule.To <= rule.From {
		return Rule{}, fmt.Errorf("it ends (%s) before it begins (%s)", rule.To, rule.From)
	}
	return rule, nil
}

func (e entry) fault(kind Kind) (Fault, trait, error) {
	fault := Fault{
		Kind:       kind,
		Paths:      e.Paths,
		Interval:   time.Duration(e.Interval),
		RetryAfter: e.RetryAfter,
		Status:     e.Status,
		Location:   e.Location,
		Checks:     e.Checks,
		Depth:      e.Depth,
		Offset:     time.Duration(e.Offset),
		At:         e.At,
		Times:      e.Times,
		Fresh:      e.Fresh,
	}
	if e.Bytes != nil {
		fault.Bytes = e.Bytes.Value()
	}
	if e.Latency != "" {
		latency, err := ParseLatency(e.Latency)
		if err != nil {
			return Fault{}, trait{}, err
		}
		fault.Latency = latency
	}
	return fault.check()
}
