package output

import "go.yaml.in/yaml/v2"

// toYAML returns JSON as YAML, with the keys in their order as kubectl prints them. It decodes the JSON as such: read as
// YAML, some characters and escapes that JSON allows would be errors.
func toYAML(raw []byte) ([]byte, error) {
	document, err := Decode(raw)
	if err != nil {
		return nil, err
	}
	return yaml.Marshal(document)
}
