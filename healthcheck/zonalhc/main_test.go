package zonalhc_test

import (
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// squeeze says once what comes several times in a row.
func squeeze(log string) string {
	return strings.Join(slices.Compact(strings.Split(log, ", ")), ", ")
}
