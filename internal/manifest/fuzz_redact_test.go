package manifest_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/clusterfleet/clusterfleet/internal/manifest"
)

// canary is the data of a Secret beside whatever members it has.
const canary = "c4n4ry-0f-4-s3cr3t"

// FuzzRedact looks in what the Reader delivers for members that must not be there, whatever the objects look like: in a
// list of Secrets, in any other one that is asked for as Secrets, in a List, in Lists in Lists, as a single object. What is
// delivered is JSON, repeats no data, and has nothing in it that would be removed the second time.
func FuzzRedact(f *testing.F) {
	const applied = `"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"CANARY","a":"b","objectset.rio.cattle.io/applied":"CANARY"}`
	for _, members := range []string{
		``,
		`"data":{"k":"CANARY"},"metadata":{"name":"a","managedFields":[{"a":"CANARY"}],` + applied + `}`,
		`"stringData":"CANARY","data":null,"type":"Opaque"`,
		` "d\u0061ta" : [ "CANARY" ] , "metadata" : { "managed\u0046ields" : 1 , ` + applied + ` } `,
		`"metadata":{"annotations":{"kubectl.kubernetes.io\/last-applied-configuration":"CANARY"}},"x":{"data":1}`,
		`"items":[{"data":"CANARY"},1],"data":"CANARY"`,
		`"a":"\\\"","data":"}","b":"]"`,
		`"type":"Opaque" , "immutable" : true`,
		`"items":[{"x":["]}"]}]`,
	} {
		for wrapping := range uint8(5) {
			f.Add(members, wrapping, uint8(7))
			f.Add(members, wrapping, uint8(8))
		}
	}
	f.Fuzz(func(t *testing.T, members string, wrapping, size uint8) {
		const secret = `"kind":"Secret","apiVersion":"v1"`
		if strings.Contains(members, canary) {
			return
		}
		opts := manifest.Options{}
		if size%2 == 0 && !strings.Contains(members, "ata") { // data comes once, or it is an error
			members = strings.TrimSuffix(`"data":{"k":"`+canary+`"},"metadata":{"managedFields":["`+canary+`"]},`+members, ",")
		}
		body, own := "", "{"+secret+","+members+"}"
		if strings.TrimSpace(members) == "" {
			own = "{" + secret + "}"
		}
		switch wrapping % 5 {
		case 0:
			body = `{"kind":"SecretList","apiVersion":"v1","items":[{` + members + `}]}`
		case 1:
			body, opts.Secrets = `{"apiVersion":"g/v1","items":[{`+members+`}],"kind":"FooList"}`, true
		case 2:
			body = `{"kind":"List","apiVersion":"v1","items":[` + own + `]}`
		case 3:
			body = `{"kind":"List","apiVersion":"v1","items":[{"kind":"List","items":[{"items":[` + own + `],"kind":"FooList"}]}]}`
		case 4:
			body = own
		}
		items, _, _ := readAll(&pieces{body, 1 + int(size)}, opts) // what came before an error counts as well
		for _, i := range items {
			checkRedacted(t, []byte(i.JSON), true)
			if !jsontext.Value(i.JSON).IsValid(jsontext.AllowDuplicateNames(true)) || strings.Contains(i.JSON, canary) {
				t.Errorf("no JSON, or with data: %s", i.JSON)
			}
			again, _, err := readAll(strings.NewReader(`{"kind":"SecretList","apiVersion":"v1","items":[`+i.JSON+`]}`), opts)
			if err != nil || len(again) != 1 || again[0].JSON != i.JSON {
				t.Errorf("%s becomes %v, %v", i.JSON, again, err)
			}
		}
	})
}

// checkRedacted fails if an object, all of which is to be held for Secrets, says what Secrets must not say.
func checkRedacted(t *testing.T, object []byte, secret bool) {
	t.Helper()
	members := membersOf(object)
	kind, _ := stringOf(members["kind"])
	if kind == "Secret" || !strings.HasSuffix(kind, "List") {
		for _, name := range []string{"data", "stringData"} {
			if _, ok := members[name]; ok && secret {
				t.Errorf("%s is still in %s", name, object)
			}
		}
	}
	metadata := membersOf(members["metadata"])
	if _, ok := metadata["managedFields"]; ok {
		t.Errorf("managedFields are still in %s", object)
	}
	for _, name := range manifest.AppliedCopies() {
		if _, ok := membersOf(metadata["annotations"])[name]; ok && secret && kind == "Secret" {
			t.Errorf("%s is still in %s", name, object)
		}
	}
	var items []json.RawMessage
	if !strings.HasSuffix(kind, "List") || json.Unmarshal(members["items"], &items) != nil {
		return
	}
	for _, i := range slices.DeleteFunc(items, func(i json.RawMessage) bool { return i[0] != '{' }) {
		checkRedacted(t, i, false)
	}
}

// membersOf returns the members of an object, none of anything else.
func membersOf(raw []byte) map[string]json.RawMessage {
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil {
		return nil
	}
	return members
}
