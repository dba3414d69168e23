package simulator

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// parameter is one parameter of a cmdlet.
type parameter struct {
	name     string
	kind     string // The type the module declares: "bool", "switch", "string", "System.Object" …
	modelled bool
}

// cmdlet is one modelled cmdlet.
type cmdlet struct {
	name       string
	parameters map[string]parameter // By lower-case name.
	spelling   spelling
	read       bool
	run        func(*call) (outcome, *apiError)
}

func parameters(byType map[string]string, modelled string) map[string]parameter {
	result := map[string]parameter{}
	for kind, names := range byType {
		for name := range strings.FieldsSeq(names) {
			result[strings.ToLower(name)] = parameter{name, kind, slices.Contains(strings.Fields(modelled), name)}
		}
	}
	return result
}

// commonParameters are accepted on every cmdlet (wire 1.2).
func commonParameters() []string {
	return []string{
		"Confirm", "Debug", "ErrorAction", "ErrorVariable", "InformationAction", "InformationVariable", "OutBuffer",
		"OutVariable", "PipelineVariable", "ProgressAction", "Verbose", "WarningAction", "WarningVariable", "WhatIf",
	}
}

// bind matches the parameters of a request to those of the cmdlet, by name without
// regard to case and by type. What is not known is refused all at once (wire 5.2).
func (c *call) bind(given map[string]json.RawMessage) *apiError {
	c.parameters = map[string]json.RawMessage{}
	var unknown []string
	for _, name := range slices.Sorted(maps.Keys(given)) {
		raw := given[name]
		if strings.Contains(name, "@") {
			continue // An OData annotation of the open type, not a parameter.
		}
		if containsFold(commonParameters(), name) {
			c.bindCommon(name, raw)
			continue
		}
		p, ok := c.cmdlet.parameters[strings.ToLower(name)]
		if !ok || !c.s.role.permitsParameter(c.cmdlet.name, p.name) {
			unknown = append(unknown, name)
			continue
		}
		if _, twice := c.parameters[p.name]; twice {
			return bindingError(typeParameterSet, "Cannot bind parameter because parameter '%s' is specified more than once.", p.name)
		}
		if err := c.bindOne(p, raw); err != nil {
			return err
		}
	}
	if len(unknown) > 0 {
		return parameterSetError(unknown...)
	}
	return nil
}

func (c *call) bindCommon(name string, raw json.RawMessage) {
	on := truth(raw)
	switch strings.ToLower(name) {
	case "whatif":
		c.whatIf = on
	case "confirm":
		c.validate = on
	}
}

func (c *call) bindOne(p parameter, raw json.RawMessage) *apiError {
	text := string(raw)
	switch p.kind {
	case "bool":
		if text != "true" && text != "false" {
			return transformError(p.name, text, "System.Boolean", "Boolean parameters accept only Boolean values and numbers.")
		}
	case "switch":
		// The string "true" was seen to work for switches (wire 1.2).
		if text != "false" && !strings.EqualFold(text, `"false"`) && !truth(raw) {
			return transformError(p.name, text, "System.Management.Automation.SwitchParameter", "Boolean parameters accept only Boolean values and numbers.")
		}
		if !truth(raw) {
			return nil
		}
	case "string":
		if len(text) == 0 || text[0] != '"' && text != "null" {
			return transformError(p.name, text, "System.String", "The value is not a string.")
		}
	}
	if !p.modelled {
		return unmodelled("parameter %s of %s", p.name, c.cmdlet.name)
	}
	c.parameters[p.name] = raw
	return nil
}

func truth(raw json.RawMessage) bool {
	text := string(raw)
	return text == "true" || strings.EqualFold(text, `"true"`)
}

// transformError is the 400 of a value that does not convert (wire 5.2).
func transformError(name, value, kind, reason string) *apiError {
	if text, err := strconv.Unquote(value); err == nil {
		value = text
	}
	return bindingError(typeTransform, "Cannot process argument transformation on parameter '%s'. Cannot convert value \"%s\" to type \"%s\". Error: \"%s\"", name, value, kind, reason)
}

func (c *call) has(name string) bool {
	_, ok := c.parameters[name]
	return ok
}

// isNull says whether a parameter is absent or null. A null Identity on a Get-* means
// no Identity at all, so everything (wire 1.2).
func (c *call) isNull(name string) bool {
	raw, ok := c.parameters[name]
	return !ok || string(raw) == "null"
}

// text reads a string parameter; numbers are accepted where PowerShell would convert them.
func (c *call) text(name string) (string, *apiError) {
	if c.isNull(name) {
		return "", nil
	}
	raw := c.parameters[name]
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s, nil
	}
	var n json.Number
	if json.Unmarshal(raw, &n) == nil {
		return n.String(), nil
	}
	return "", transformError(name, string(raw), "System.String", "The value is neither a string nor a number.")
}

// identity reads the mandatory Identity of a Set-*.
func (c *call) identity() (string, *apiError) {
	identity, err := c.text("Identity")
	if err == nil && strings.TrimSpace(identity) == "" {
		return "", bindingError(typeParameterSet, "Cannot process command because of one or more missing mandatory parameters: Identity.")
	}
	return identity, err
}

// resultSize reads ResultSize: 1000 if absent, 0 for Unlimited.
func (c *call) resultSize() (int, *apiError) {
	const standard = 1000
	if c.isNull("ResultSize") {
		return standard, nil
	}
	text, err := c.text("ResultSize")
	if err != nil {
		return 0, err
	}
	if strings.EqualFold(text, "Unlimited") {
		return 0, nil
	}
	n, convErr := strconv.Atoi(text)
	if convErr != nil || n <= 0 {
		return 0, transformError("ResultSize", text, "Microsoft.Exchange.Data.Unlimited`1[System.UInt32]", "The value is neither a number above zero nor Unlimited.")
	}
	return n, nil
}
