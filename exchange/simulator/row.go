package simulator

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// Field is one member of a row, annotations included: "Guid@data.type" is a field.
type Field struct {
	Key string
	Raw json.RawMessage
}

// Row is an object of a listing, about to be sent. A row editor may keep nothing of
// it after it returns.
type Row struct{ Fields []Field }

// Get returns the raw value of the first field with a key.
func (r *Row) Get(key string) (json.RawMessage, bool) {
	for _, f := range r.Fields {
		if f.Key == key {
			return f.Raw, true
		}
	}
	return nil, false
}

// Set replaces the raw value of a field, or appends it.
func (r *Row) Set(key, raw string) {
	for i := range r.Fields {
		if r.Fields[i].Key == key {
			r.Fields[i].Raw = json.RawMessage(raw)
			return
		}
	}
	r.Append(key, raw)
}

// Delete removes every field with a key; its annotations stay.
func (r *Row) Delete(key string) {
	r.Fields = slices.DeleteFunc(r.Fields, func(f Field) bool { return f.Key == key })
}

// Rename gives every field with a key another one.
func (r *Row) Rename(key, newKey string) {
	for i := range r.Fields {
		if r.Fields[i].Key == key {
			r.Fields[i].Key = newKey
		}
	}
}

// Append adds a field at the end, also where the key is taken: so a key is doubled.
func (r *Row) Append(key, raw string) {
	r.Fields = append(r.Fields, Field{key, json.RawMessage(raw)})
}

func (r *Row) appendJSON(dst []byte) []byte {
	dst = append(dst, '{')
	for i, f := range r.Fields {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, f.Key)
		dst = append(dst, ':')
		dst = append(dst, f.Raw...)
	}
	return append(dst, '}')
}

// property is one column of an object kind T: its name, the annotations that the
// service sends before it (wire 1.5), and how its value is written.
type property[T any] struct {
	name    string
	sidecar []Field
	write   func(dst []byte, object *T) []byte
}

// wireKind is a .NET type as wire 1.5 tabulates its JSON form.
type wireKind uint8

const (
	wireBare     wireKind = iota // bool, string, null, enum, TimeSpan, size.
	wireGuid                     // Guid.
	wireDate                     // DateTime.
	wireInt32                    // Int32.
	wireInt16                    // Int16.
	wireList                     // MultiValuedProperty and arrays.
	wireIDString                 // Guid of an object without the OData annotation (bypass row).
)

func sidecarOf(name string, kind wireKind) []Field {
	field := func(suffix, value string) Field {
		return Field{name + suffix, appendString(nil, value)}
	}
	switch kind {
	case wireGuid:
		return []Field{field("@data.type", "System.Guid"), field("@odata.type", "#Guid")}
	case wireIDString:
		return []Field{field("@data.type", "System.Guid")}
	case wireDate:
		return []Field{field("@data.type", "System.DateTime")}
	case wireInt32:
		return []Field{field("@data.type", "System.Int32")}
	case wireInt16:
		return []Field{field("@data.type", "System.Int16"), field("@odata.type", "#Int16")}
	case wireList:
		return []Field{field("@odata.type", "#Collection(String)")}
	}
	return nil
}

// constant is a property with the same value on every object.
func constant[T any](name string, kind wireKind, raw string) property[T] {
	value := []byte(raw)
	return property[T]{name, sidecarOf(name, kind), func(dst []byte, _ *T) []byte { return append(dst, value...) }}
}

// fillRow writes the properties of an object into a row, reusing its memory. Values
// share one buffer; it may move while it grows, which leaves earlier values intact.
func fillRow[T any](row *Row, buffer []byte, properties []property[T], object *T) []byte {
	row.Fields = row.Fields[:0]
	for i := range properties {
		p := &properties[i]
		row.Fields = append(row.Fields, p.sidecar...)
		start := len(buffer)
		buffer = p.write(buffer, object)
		row.Fields = append(row.Fields, Field{p.name, buffer[start:len(buffer):len(buffer)]})
	}
	return buffer
}

func appendString(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			quoted, err := json.Marshal(s)
			if err != nil {
				return append(dst, `""`...)
			}
			return append(dst, quoted...)
		}
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}

func appendList(dst []byte, list []string) []byte {
	dst = append(dst, '[')
	for i, s := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, s)
	}
	return append(dst, ']')
}

func appendBool(dst []byte, b bool) []byte { return strconv.AppendBool(dst, b) }

// appendDate writes a local property with an offset, as "2022-09-21T08:07:47.0000000+00:00".
func appendDate(dst []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(dst, `"2006-01-02T15:04:05.0000000+00:00"`)
}

// appendUTC writes the UTC twin, as "2026-07-15T16:40:06.0000000Z".
func appendUTC(dst []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(dst, `"2006-01-02T15:04:05.0000000Z"`)
}
