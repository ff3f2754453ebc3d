package elbv2svc

import (
	"testing"

	"github.com/awsha/awsha/awstest/internal/paging"
)

func TestPagesMeetEverythingOnce(t *testing.T) {
	t.Parallel()
	all := make([]int, 1000)
	for i := range all {
		all[i] = i
	}
	one, seven := int32(1), int32(7)
	for name, size := range map[string]*int32{"one by one": &one, "seven": &seven, "as many as fit": nil} {
		var marker *string
		n := 0
		for more := true; more; more = marker != nil {
			items, next, err := page(all, marker, size)
			if err != nil || len(items) == 0 {
				t.Fatalf("%s: %d items, %v", name, len(items), err)
			}
			for _, item := range items {
				if item != n {
					t.Fatalf("%s: got %d, want %d", name, item, n)
				}
				n++
			}
			marker = next
		}
		if n != len(all) {
			t.Errorf("%s: %d of %d", name, n, len(all))
		}
	}
	if items, next, err := page(all[:10], paging.Token(1000), nil); len(items) > 0 || next != nil || err != nil {
		t.Errorf("past the end: %v, %v, %v", items, next, err)
	}
}
