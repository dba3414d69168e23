package reconcile

// carried are the findings of a full sweep that later, incremental runs carry
// until they are settled, folded as the plan has them.
type carried struct {
	cases   []finding
	records []record
	// tenant are the changes of kinds that an incremental run does not read, and
	// unknown the objects that could not be judged.
	tenant  []Change
	unknown []UnknownObject
}
