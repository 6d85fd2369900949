package report

import (
	"encoding/json"
	"io"
	"math"
	"time"

	"github.com/clusterfleet/clusterfleet/bench/internal/machine"
)

// Document is a run as programs read it: the plots are made from one. Values are in seconds, bytes, bytes a second,
// multiples or pieces, as their unit says.
type Document struct {
	Machine machine.Machine `json:"machine"`
	Began   time.Time       `json:"began"`
	// Short says that the run had less of everything: its figures say little.
	Short bool          `json:"short"`
	Rows  []documentRow `json:"rows"`
}

type documentRow struct {
	Number  int               `json:"number,omitempty"`
	Work    string            `json:"work"`
	Ours    documentQuantity  `json:"ours"`
	Floor   *documentQuantity `json:"floor,omitempty"`
	Ratio   float64           `json:"ratio,omitempty"` // to the floor; 0 without one
	Target  string            `json:"target,omitempty"`
	Verdict Verdict           `json:"verdict,omitempty"`
	Peers   []documentPeer    `json:"peers,omitempty"`
	Notes   []string          `json:"notes,omitempty"`
}

type documentPeer struct {
	Name  string           `json:"name"`
	Value documentQuantity `json:"value"`
	Ratio float64          `json:"ratio,omitempty"`
	Note  string           `json:"note,omitempty"`
}

type documentQuantity struct {
	Value  float64   `json:"value"`
	Unit   string    `json:"unit"`
	Rounds []float64 `json:"rounds,omitempty"`
}

// NewDocument makes a document of the rows of a run. They are judged as in the table that Write prints.
func NewDocument(m machine.Machine, began time.Time, short bool, rows []Row) Document {
	d := Document{Machine: m, Began: began.UTC().Truncate(time.Second), Short: short}
	verdict := judge(short)
	for _, r := range rows {
		row := documentRow{
			Number: r.Number, Work: r.Work, Ours: document(r.Ours), Ratio: rounded(r.Ratio()),
			Target: r.Target.String(), Verdict: verdict(r), Notes: r.Notes,
		}
		if r.Floor.Unit != None {
			floor := document(r.Floor)
			row.Floor = &floor
		}
		for _, p := range r.Peers {
			row.Peers = append(row.Peers, documentPeer{p.Name, document(p.Value), rounded(ratio(p.Value, r.Floor)), p.Note})
		}
		d.Rows = append(d.Rows, row)
	}
	return d
}

func document(q Quantity) documentQuantity {
	return documentQuantity{Value: q.Value, Unit: q.Unit.String(), Rounds: q.Rounds}
}

// rounded leaves out digits that nobody measured.
func rounded(q Quantity, _ bool) float64 { return math.Round(q.Value*1e4) / 1e4 }

// WriteJSON writes the document.
func (d Document) WriteJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	return encoder.Encode(d)
}
