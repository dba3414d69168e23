package sqlite

import "testing"

func child(*testing.M) bool { return false }
