package manifest

import (
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// appendCell appends a cell's text. kubectl decodes cells as client-go does, numbers to int64 if they can be and to
// float64 if not, and prints them with fmt.Sprint; null prints nothing.
func appendCell(dst []byte, cell []byte) []byte {
	switch cell[0] {
	case 'n':
		return dst
	case 't', 'f':
		return append(dst, cell...)
	case '"':
		return append(dst, text(cell)...)
	case '{', '[':
		// What is valid JSON already cannot fail to be formatted.
		compact, _ := jsontext.AppendFormat(nil, cell, jsontext.PreserveRawStrings(true))
		return append(dst, compact...)
	}
	return appendNumber(dst, cell)
}

func appendNumber(dst []byte, number []byte) []byte {
	if n, err := strconv.ParseInt(string(number), 10, 64); err == nil {
		return strconv.AppendInt(dst, n, 10)
	}
	f, err := strconv.ParseFloat(string(number), 64)
	if err != nil {
		return append(dst, number...) // too large for a float64; kubectl refuses the table
	}
	return fmt.Append(dst, f)
}
