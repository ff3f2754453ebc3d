package snapshot_test

import (
	"testing"
	_ "time/tzdata" // zones on machines that have none

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
