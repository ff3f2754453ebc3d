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

// FuzzToken has a token be either one that is made here or not ok.
func FuzzToken(f *testing.F) {
	f.Add(*paging.Token(5))
	f.Add(*paging.Token(-1))
	f.Add("ZnJvbSArNQ") // "from +5"
	f.Add("ZnJvbSA1=")  // padded
	f.Add("")
	f.Add("ZnJvbSA5OTk5OTk5OTk5OTk5OTk5OTk5OQ") // more than an int holds
	f.Fuzz(func(t *testing.T, token string) {
		start, ok := paging.From(&token)
		if ok && (start < 0 || (start == 0) != (token == "") || start > 0 && *paging.Token(start) != token) {
			t.Errorf("%q is read as %d", token, start)
		}
		page, _, cut := paging.Cut([]int{0, 1, 2, 3, 4, 5}, &token, 1)
		if cut != ok || len(page) > 0 && page[0] != start {
			t.Errorf("%q leads to %v, %v, and is read as %d, %v", token, page, cut, start, ok)
		}
	})
}
