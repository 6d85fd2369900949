package output

import (
	"bytes"
	"crypto/rand"

	"go.yaml.in/yaml/v2"
)

// toYAML returns JSON as YAML, with the keys in their order as kubectl prints them. It decodes the JSON as such: read as
// YAML, some characters and escapes that JSON allows would be errors.
func toYAML(raw []byte) ([]byte, error) {
	document, err := Decode(raw)
	if err != nil {
		return nil, err
	}
	hidden := "\x00" + rand.Text() // nobody can know it beforehand, and the encoder quotes it: it is not all printable
	renameMerge(document, hidden)
	text, err := yaml.Marshal(document)
	if err != nil {
		return nil, err
	}
	return bytes.ReplaceAll(text, []byte(`"\0`+hidden[1:]+`"`), []byte(`"`+merge+`"`)), nil
}

// merge as a key merges another mapping into its own unless it is quoted. In JSON it is a name like others, but the encoder
// does not quote it.
const merge = "<<"

// renameMerge gives the key another name wherever it is in the document.
func renameMerge(document any, name string) {
	switch d := document.(type) {
	case []any:
		for _, v := range d {
			renameMerge(v, name)
		}
	case map[string]any:
		for _, v := range d {
			renameMerge(v, name)
		}
		if v, ok := d[merge]; ok {
			delete(d, merge)
			d[name] = v
		}
	}
}
