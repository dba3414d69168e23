package policy

import (
	_ "embed"
	"slices"
)

//go:generate go test -run ^TestSchemaIsGenerated$ -update .

//go:embed schema/policy.schema.json
var schemaText string

// Schema gives the JSON Schema (draft 2020-12) of policy files, for editors and
// other tools that complete and check while somebody writes. It knows the shape of
// the language and not its meaning: what it refuses is refused here too, and what
// it accepts may still contradict itself or name what is not there.
func Schema() []byte { return slices.Clone([]byte(schemaText)) }
