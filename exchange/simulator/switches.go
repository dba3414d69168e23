package simulator

import (
	"fmt"
	"iter"
	"slices"
	"strings"
)

// NextLinkVerb is the method that a next link answers to; the other one gets a 405 (wire 1.6).
type NextLinkVerb uint8

// Readings of the next link.
const (
	NextLinkPost NextLinkVerb = iota
	NextLinkGet
	NextLinkBoth
)

// SetBody is what a successful Set-* answers with (wire 1.5).
type SetBody uint8

// Readings of a Set-* success. An empty body still gives way to an envelope when
// there is a warning to carry.
const (
	SetBodyEmptyArray SetBody = iota
	SetBodyNullValue
	SetBodyAbsentValue
	SetBodyEmptyBody
)

// UnsetForm is how an unset stored AuditEnabled shows on the types that auditing on
// by default does not cover.
type UnsetForm uint8

// Readings of an unset AuditEnabled.
const (
	UnsetFalse UnsetForm = iota
	UnsetNull
)

// FilterMode says whether the server-side filter does anything.
type FilterMode uint8

// Readings of -Filter.
const (
	FilterHonoured FilterMode = iota
	FilterIgnored
)

// AddBase is the list that an Add on a managed logon type starts from.
type AddBase uint8

// Readings of Add: the default list that is shown, or the stored list behind it.
const (
	AddBaseShown AddBase = iota
	AddBaseStored
)

// ReAddMode is what adding an action that is there already does (semantics 1.3 E6).
type ReAddMode uint8

// Readings of a repeated Add.
const (
	ReAddOK ReAddMode = iota
	ReAddError
)

// HiddenSetMode is what setting AuditEnabled to the value that auditing on by default
// shows does to a different stored value (semantics 1.3 E5, 2.2).
type HiddenSetMode uint8

// Readings of a set that nobody can see: it is stored, or swallowed with the "no
// settings modified" warning.
const (
	HiddenSetStored HiddenSetMode = iota
	HiddenSetSwallowed
)

// BatchOrder is the order in which the items of a batch are carried out. With
// odata.continue-on-error it is not promised (wire 2).
type BatchOrder uint8

// Readings of the order: as sent, or any other.
const (
	BatchAsSent BatchOrder = iota
	BatchShuffled
)

// RoleParameterMode is how a parameter is refused that the caller's role does not hold.
type RoleParameterMode uint8

// Readings of a parameter that the role lacks: a 403 was seen once (wire 5.2), elsewhere it
// is said to look like a parameter that does not exist (semantics 4.5). With the third
// reading the object is looked up before the parameters are bound: an Identity that names
// nothing is a 404 whatever else is passed.
const (
	RoleParameterForbidden RoleParameterMode = iota
	RoleParameterBindingError
	RoleParameterIdentityFirst
)

// Switches are the points where the wire is not known and both readings must work
// (wire 10). The zero value takes the first reading of each.
type Switches struct {
	NextLink          NextLinkVerb
	SetBody           SetBody
	UnsetAuditEnabled UnsetForm
	Filter            FilterMode
	AddBase           AddBase
	ReAdd             ReAddMode
	HiddenSet         HiddenSetMode
	BatchOrder        BatchOrder
	RoleParameter     RoleParameterMode
}

// switchField is one switch: its name, the names of its readings, how to set it.
type switchField struct {
	name   string
	values []string
	set    func(*Switches, int)
}

func switchFields() []switchField {
	return []switchField{
		{"nextLink", []string{"post", "get", "both"}, func(s *Switches, i int) { s.NextLink = NextLinkVerb(i) }},                                       //nolint:gosec // index into three names
		{"setBody", []string{"emptyArray", "nullValue", "absentValue", "emptyBody"}, func(s *Switches, i int) { s.SetBody = SetBody(i) }},              //nolint:gosec // index into four names
		{"unsetAuditEnabled", []string{"false", "null"}, func(s *Switches, i int) { s.UnsetAuditEnabled = UnsetForm(i) }},                              //nolint:gosec // index into two names
		{"filter", []string{"honoured", "ignored"}, func(s *Switches, i int) { s.Filter = FilterMode(i) }},                                             //nolint:gosec // index into two names
		{"addBase", []string{"shown", "stored"}, func(s *Switches, i int) { s.AddBase = AddBase(i) }},                                                  //nolint:gosec // index into two names
		{"reAdd", []string{"ok", "error"}, func(s *Switches, i int) { s.ReAdd = ReAddMode(i) }},                                                        //nolint:gosec // index into two names
		{"hiddenSet", []string{"stored", "swallowed"}, func(s *Switches, i int) { s.HiddenSet = HiddenSetMode(i) }},                                    //nolint:gosec // index into two names
		{"batchOrder", []string{"asSent", "shuffled"}, func(s *Switches, i int) { s.BatchOrder = BatchOrder(i) }},                                      //nolint:gosec // index into two names
		{"roleParameter", []string{"forbidden", "bindingError", "identityFirst"}, func(s *Switches, i int) { s.RoleParameter = RoleParameterMode(i) }}, //nolint:gosec // index into three names
	}
}

// ParseSwitch sets one switch from "name=value", both without regard to case. The
// error names what was expected.
func ParseSwitch(s *Switches, nameEqualsValue string) error {
	name, value, ok := strings.Cut(nameEqualsValue, "=")
	if !ok {
		return fmt.Errorf("switch %q: want NAME=VALUE, such as %s", nameEqualsValue, SwitchNames()[0])
	}
	for _, field := range switchFields() {
		if !strings.EqualFold(field.name, name) {
			continue
		}
		i := slices.IndexFunc(field.values, func(v string) bool { return strings.EqualFold(v, value) })
		if i < 0 {
			return fmt.Errorf("switch %s: unknown value %q, want one of %s", field.name, value, strings.Join(field.values, ", "))
		}
		field.set(s, i)
		return nil
	}
	return fmt.Errorf("unknown switch %q, want one of %s", name, strings.Join(SwitchNames(), ", "))
}

// SwitchNames lists every switch with its values, as "name=value|value", the default first.
func SwitchNames() []string {
	var names []string
	for _, field := range switchFields() {
		names = append(names, field.name+"="+strings.Join(field.values, "|"))
	}
	return names
}

// EachSwitch yields "default" and the zero Switches, then every variant that differs
// in one switch, named "name=value": what tests run under.
func EachSwitch() iter.Seq2[string, Switches] {
	return func(yield func(string, Switches) bool) {
		if !yield("default", Switches{}) {
			return
		}
		for _, field := range switchFields() {
			for i, value := range field.values[1:] {
				var s Switches
				field.set(&s, i+1)
				if !yield(field.name+"="+value, s) {
					return
				}
			}
		}
	}
}
