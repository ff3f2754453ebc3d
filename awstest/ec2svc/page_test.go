package ec2svc

import (
	"slices"
	"testing"
)

// FuzzPage reads results of any size in pages of any size.
func FuzzPage(f *testing.F) {
	f.Add(uint16(0), int32(5))
	f.Add(uint16(5), int32(5))
	f.Add(uint16(23), int32(10))
	f.Add(uint16(1), int32(4))
	f.Fuzz(func(t *testing.T, total uint16, size int32) {
		all := make([]int, total)
		for i := range all {
			all[i] = i
		}
		var got []int
		var token *string
		for {
			items, next, err := page(all, token, &size)
			if (err == nil) != (size >= usualPages.least && size <= usualPages.most) {
				t.Fatalf("size %d: %v", size, err)
			}
			if err != nil {
				return
			}
			if len(items) > int(size) || (next != nil && len(items) != int(size)) {
				t.Fatalf("%d on a page of %d, more: %v", len(items), size, next != nil)
			}
			got = append(got, items...)
			if token = next; token == nil {
				break
			}
		}
		if !slices.Equal(all, got) {
			t.Errorf("%d in pages of %d: got %v", total, size, got)
		}
	})
}
