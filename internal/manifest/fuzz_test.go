package manifest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utiljson "k8s.io/apimachinery/pkg/util/json"

	"github.com/clusterfleet/clusterfleet/internal/manifest"
	"github.com/clusterfleet/clusterfleet/internal/manifest/manifesttest"
	"github.com/clusterfleet/clusterfleet/internal/safetext"
)

// reference is what encoding/json finds in a body. It knows nothing of streams and of bytes that stay as they are.
type reference struct {
	opts  manifest.Options
	meta  manifest.Meta
	items []referenceItem
}

type referenceItem struct {
	namespace, name string
	raw             []byte
	value           any // less what is not wanted
}

var (
	errReference = errors.New("the reference refuses the body")
	errStatus    = errors.New("a Status, which the reference leaves to other tests")
)

// read follows the documented rules with the whole body in hand.
func (ref *reference) read(body []byte) error {
	if !jsontext.Value(body).IsValid(jsontext.AllowDuplicateNames(true)) || !hasDistinctNames(body) {
		return errReference
	}
	var top map[string]json.RawMessage
	if json.Unmarshal(body, &top) != nil || top == nil {
		return errReference
	}
	kind, kindOK := stringOf(top["kind"])
	version, versionOK := stringOf(top["apiVersion"])
	if !kindOK || !versionOK || kind == "" || version == "" {
		return errReference
	}
	if err := ref.readListMeta(top["metadata"]); err != nil {
		return err
	}
	items, hasItems := top["items"]
	isArray := hasItems && (items[0] == '[' || items[0] == 'n')
	if !strings.HasSuffix(kind, "List") || !isArray {
		if kind == "Status" && (version == "v1" || version == "meta.k8s.io/v1") {
			return errStatus
		}
		if ref.opts.List && (!strings.HasSuffix(kind, "List") || hasItems) {
			return errReference
		}
		if !ref.opts.List {
			ref.meta = manifest.Meta{APIVersion: version, Kind: kind}
			return ref.add(bytes.TrimSpace(body), false)
		}
		items = []byte("null")
	}
	ref.meta.APIVersion, ref.meta.Kind = version, strings.TrimSuffix(kind, "List")
	var raws []json.RawMessage
	if json.Unmarshal(items, &raws) != nil {
		return errReference
	}
	for _, raw := range raws {
		if kind == "List" && ref.couldBeSecret(raw) {
			return errReference
		}
		if err := ref.add(raw, kind == "SecretList" && version == "v1"); err != nil {
			return err
		}
	}
	return nil
}

func (ref *reference) readListMeta(raw json.RawMessage) error {
	var metadata map[string]json.RawMessage
	if raw != nil && (json.Unmarshal(raw, &metadata) != nil || !hasDistinctNames(raw)) {
		return errReference
	}
	var ok bool
	if ref.meta.ResourceVersion, ok = stringOf(metadata["resourceVersion"]); !ok {
		return errReference
	}
	if ref.meta.Continue, ok = stringOf(metadata["continue"]); !ok {
		return errReference
	}
	if count := metadata["remainingItemCount"]; count != nil && json.Unmarshal(count, &ref.meta.RemainingItemCount) != nil {
		return errReference
	}
	return nil
}

func (ref *reference) add(raw []byte, secret bool) error {
	var members, metadata map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil || members == nil {
		return errReference
	}
	if m := members["metadata"]; m != nil && json.Unmarshal(m, &metadata) != nil {
		return errReference
	}
	_, kindOK := stringOf(members["kind"])
	_, versionOK := stringOf(members["apiVersion"])
	namespace, namespaceOK := stringOf(metadata["namespace"])
	name, nameOK := stringOf(metadata["name"])
	if !kindOK || !versionOK || !namespaceOK || !nameOK {
		return errReference
	}
	value := decoded(raw)
	if !ref.isDistinct(raw, secret || ref.opts.Secrets, 0) || !ref.redact(value, secret || ref.opts.Secrets, 0) {
		return errReference
	}
	ref.items = append(ref.items, referenceItem{namespace, name, raw, value})
	return nil
}

// redact removes from a decoded object what is not wanted; false where lists are nested too deep.
func (ref *reference) redact(value any, secret bool, nested int) bool {
	object, ok := value.(map[string]any)
	if !ok || ref.opts.ManagedFields && ref.opts.SecretData {
		return true
	}
	kind, _ := object["kind"].(string)
	version, _ := object["apiVersion"].(string)
	of1 := version == "v1" || version == ""
	secret = secret || kind == "Secret" && of1
	metadata, _ := object["metadata"].(map[string]any)
	if !ref.opts.ManagedFields {
		delete(metadata, "managedFields")
	}
	if secret && !ref.opts.SecretData {
		delete(object, "data")
		delete(object, "stringData")
		annotations, _ := metadata["annotations"].(map[string]any)
		for _, name := range manifest.AppliedCopies() {
			delete(annotations, name)
		}
	}
	items, isArray := object["items"].([]any)
	if !strings.HasSuffix(kind, "List") || !isArray {
		return true
	}
	if nested == 4 {
		return false
	}
	for _, i := range items {
		o, isObject := i.(map[string]any)
		if itsKind, _ := o["kind"].(string); isObject && kind == "List" && itsKind == "" && !secret && !ref.opts.SecretData {
			return false
		}
		if !ref.redact(i, secret || kind == "SecretList" && of1, nested+1) {
			return false
		}
	}
	return true
}

// couldBeSecret tells whether an item of a List of any kind does not say what it is.
func (ref *reference) couldBeSecret(raw []byte) bool {
	var members map[string]json.RawMessage
	if ref.opts.Secrets || ref.opts.SecretData || json.Unmarshal(raw, &members) != nil {
		return false
	}
	kind, ok := stringOf(members["kind"])
	return ok && kind == ""
}

// isDistinct tells whether no name comes twice in an object where the Reader looks: in the object itself, its metadata,
// the annotations of a Secret, and so on in the objects of a list in it.
func (ref *reference) isDistinct(raw []byte, secret bool, nested int) bool {
	var members, metadata map[string]json.RawMessage
	if !hasDistinctNames(raw) || json.Unmarshal(raw, &members) != nil {
		return false
	}
	_ = json.Unmarshal(members["metadata"], &metadata) // what is no object has no names
	if !hasDistinctNames(members["metadata"]) {
		return false
	}
	if ref.opts.ManagedFields && ref.opts.SecretData {
		return true
	}
	kind, _ := stringOf(members["kind"])
	version, _ := stringOf(members["apiVersion"])
	of1 := version == "v1" || version == ""
	secret = secret || kind == "Secret" && of1
	if secret && !ref.opts.SecretData && !hasDistinctNames(metadata["annotations"]) {
		return false
	}
	var items []json.RawMessage
	if !strings.HasSuffix(kind, "List") || json.Unmarshal(members["items"], &items) != nil || nested == 4 {
		return true
	}
	for _, i := range items {
		if i[0] == '{' && !ref.isDistinct(i, secret || kind == "SecretList" && of1, nested+1) {
			return false
		}
	}
	return true
}

// hasDistinctNames tells whether no name comes twice in the object that raw is, if it is one.
func hasDistinctNames(raw []byte) bool {
	d := jsontext.NewDecoder(bytes.NewReader(raw), jsontext.AllowDuplicateNames(true))
	if token, err := d.ReadToken(); err != nil || token.Kind() != jsontext.KindBeginObject {
		return true
	}
	seen := map[string]bool{}
	for d.PeekKind() == jsontext.KindString {
		name, err := d.ReadToken()
		if err != nil || seen[name.String()] {
			return false
		}
		seen[name.String()] = true
		if d.SkipValue() != nil {
			return false
		}
	}
	return true
}

func decoded(raw []byte) any {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		return err
	}
	return value
}

// stringOf returns what a string says, nothing for null or a value that is not there; false for any other value.
func stringOf(raw json.RawMessage) (string, bool) {
	var s string
	return s, raw == nil || json.Unmarshal(raw, &s) == nil
}

// pieces delivers a body in pieces of a size.
type pieces struct {
	body string
	size int
}

func (p *pieces) Read(b []byte) (int, error) {
	if p.body == "" {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), p.size)], p.body)
	p.body = p.body[n:]
	return n, nil
}

const (
	keepManagedFields = 1 << iota
	keepSecretData
	areSecrets
	askedForAList
)

// FuzzReader holds the Reader against jsontext and encoding/json: the same items less the same members, or an error where
// the reference finds one as well. Where a list was asked for the Reader may refuse more: it does not wait for a kind that
// comes too late.
func FuzzReader(f *testing.F) {
	for _, tt := range hostile() {
		if len(tt.body) < 1<<12 {
			f.Add(tt.body, uint8(0), uint8(3))
		}
	}
	for _, body := range []string{
		podList, manifesttest.PodList(2),
		`{"apiVersion":"g/v1","items":[{"kind":"Foo","apiVersion":"g/v1","metadata":{"name":"a"}}],"kind":"FooList","metadata":{"continue":"t"}}`,
		`{"apiVersion":"v1","items":[1],"kind":"Foo","metadata":{"name":"a","managedFields":[{}]}}`,
		`{"kind":"SecretList","apiVersion":"v1","metadata":{"remainingItemCount":1},"items":[{"metadata":{"name":"a","namespace":"b",` +
			`"managedFields":[{"a":1}],"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{\"a\":1}","b":"c"}},"d\u0061ta":{"a":"Yg=="}}]}`,
		`{"kind":"List","apiVersion":"v1","items":[{"data":{},"kind":"Secret","apiVersion":"v1"},{"kind":"SecretList","apiVersion":"v1","items":[{"data":{}}]}]}`,
		`{ "kind" : "PodList" , "apiVersion" : "v1" , "items" : [ { "metadata" : { "managedFields" : null } , "x" : [ 1.5e-3 , true , "\\\"" ] } ] }`,
		`{"kind":"PodList","apiVersion":"v1","items":null}`,
		`{"kind":"Status","apiVersion":"v1","metadata":{"continue":"fresh"},"status":"Failure","message":"gone\u001b","reason":"Expired","details":{"retryAfterSeconds":7},"code":410}`,
		`{"apiVersion":"meta.k8s.io/v1","kind":"Status","status":"Success"}`,
	} {
		for flags := range uint8(16) {
			f.Add(body, flags, 1+flags)
		}
	}
	f.Fuzz(func(t *testing.T, body string, flags, size uint8) {
		opts := manifest.Options{
			ManagedFields: flags&keepManagedFields != 0,
			SecretData:    flags&keepSecretData != 0,
			Secrets:       flags&areSecrets != 0,
			List:          flags&askedForAList != 0,
		}
		got, meta, err := readAll(&pieces{body, 1 + int(size)}, opts)
		ref := reference{opts: opts}
		refErr := ref.read([]byte(body))
		switch {
		case errors.Is(refErr, errStatus):
			compareStatus(t, []byte(body), err)
			return
		case err == nil && refErr != nil:
			t.Fatalf("%d items, where the reference finds an error", len(got))
		case err != nil && refErr == nil && !opts.List:
			t.Fatalf("%v, where the reference finds %d items", err, len(ref.items))
		case err != nil:
			checkError(t, err, manifest.ErrMalformed)
			return
		}
		compare(t, got, meta, ref)
	})
}

// compareStatus holds what became of a Status against what it says as a whole.
func compareStatus(t *testing.T, body []byte, err error) {
	t.Helper()
	var want metav1.Status
	wantErr := utiljson.Unmarshal(body, &want)
	failure := wantErr == nil && want.Status == metav1.StatusFailure
	got, ok := errors.AsType[*manifest.StatusError](err)
	switch {
	case !ok && failure && jsontext.Value(body).IsValid():
		t.Errorf("%v, where a Status says %q", err, want.Message)
	case !ok && err != nil:
		checkError(t, err, manifest.ErrMalformed)
	case ok && !failure && wantErr == nil:
		t.Errorf("%v, where a Status says %q", got, want.Status)
	case ok && failure:
		wanted := manifest.StatusError{
			Code: want.Code, Reason: safetext.Truncate(string(want.Reason), 256), Message: safetext.Clean(want.Message), Continue: want.Continue,
		}
		if want.Details != nil {
			wanted.RetryAfter = time.Duration(max(want.Details.RetryAfterSeconds, 0)) * time.Second
		}
		if diff := cmp.Diff(wanted, *got); diff != "" {
			t.Errorf("Status (-want +got):\n%s", diff)
		}
	}
}

func compare(t *testing.T, got []item, meta manifest.Meta, ref reference) {
	t.Helper()
	if diff := cmp.Diff(ref.meta, meta); diff != "" {
		t.Errorf("meta (-want +got):\n%s", diff)
	}
	if len(got) != len(ref.items) {
		t.Fatalf("%d items, the reference finds %d", len(got), len(ref.items))
	}
	for n, want := range ref.items {
		if got[n].Namespace != want.namespace || got[n].Name != want.name {
			t.Errorf("item %d is %q in %q, want %q in %q", n, got[n].Name, got[n].Namespace, want.name, want.namespace)
		}
		if ref.opts.ManagedFields && ref.opts.SecretData && got[n].JSON != string(want.raw) {
			t.Errorf("item %d was touched:\n%s\n%s", n, got[n].JSON, want.raw)
		}
		if !jsontext.Value(got[n].JSON).IsValid(jsontext.AllowDuplicateNames(true)) {
			t.Fatalf("item %d is no JSON: %s", n, got[n].JSON)
		}
		if diff := cmp.Diff(want.value, decoded([]byte(got[n].JSON))); diff != "" {
			t.Errorf("item %d (-want +got):\n%s", n, diff)
		}
	}
}
