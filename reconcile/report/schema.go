package report

import (
	_ "embed" // for the schema
	"slices"
)

//go:generate go test -run ^Test(Plan|History)SchemaIsGenerated$ -update .

//go:embed schema/plan.schema.json
var planSchema []byte

// PlanSchema gives the JSON Schema (draft 2020-12) of exoaudit/plan/v1, what
// [WritePlan] writes. It lets keys be that it does not know, since a later
// version may add some, and names all that this one writes.
func PlanSchema() []byte { return slices.Clone(planSchema) }

//go:embed schema/history.schema.json
var historySchema []byte

// HistorySchema gives the JSON Schema (draft 2020-12) of exoaudit/history/v1, what
// [WriteHistory] writes, and within it that of exoaudit/run/v1, what [WriteRun]
// writes.
func HistorySchema() []byte { return slices.Clone(historySchema) }
