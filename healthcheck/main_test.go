package healthcheck_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv(serverEnv) != "" { // started by a benchmark
		serveBenchmark()
		return
	}
	goleak.VerifyTestMain(m)
}
