package paging_test

import (
	"encoding/base64"
	"slices"
	"testing"

	"github.com/awsha/awsha/awstest/internal/paging"
)

func TestPagesCoverTheResult(t *testing.T) {
	t.Parallel()
	all := []int{1, 2, 3, 4, 5, 6, 7}
	for size := 1; size <= len(all)+1; size++ {
		var got []int
		var token *string
		for pages := 0; ; pages++ {
			page, next, ok := paging.Cut(all, token, size)
			if !ok || len(page) == 0 || len(page) > size || pages > len(all) {
				t.Fatalf("size %d: page %d is %v, %v", size, pages, page, ok)
			}
			got = append(got, page...)
			if token = next; token == nil {
				break
			}
		}
		if !slices.Equal(got, all) {
			t.Errorf("size %d: %v", size, got)
		}
	}
}

func TestResultThatHasBecomeLessEnds(t *testing.T) {
	t.Parallel()
	page, next, ok := paging.Cut([]int{1, 2}, paging.Token(2), 10)
	if len(page) != 0 || next != nil || !ok {
		t.Errorf("got %v %v %v", page, next, ok)
	}
}

func TestEmptyTokenIsTheFirstPage(t *testing.T) {
	t.Parallel()
	empty := ""
	if page, _, ok := paging.Cut([]int{1, 2}, &empty, 1); !ok || !slices.Equal(page, []int{1}) {
		t.Errorf("got %v %v", page, ok)
	}
}

func TestForeignTokenIsNotOK(t *testing.T) {
	t.Parallel()
	encode := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	for _, token := range []string{"x", "!", encode("from 0"), encode("from -1"), encode("from 01"), encode("from 99999999999"), encode("1"), encode("from 1") + "="} {
		if page, next, ok := paging.Cut([]int{1, 2}, &token, 1); ok || page != nil || next != nil {
			t.Errorf("%q leads to %v", token, page)
		}
	}
}
