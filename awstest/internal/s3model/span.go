package s3model

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/awsha/awsha/awstest"
)

// Span is the part of an object that a request reads.
type Span struct {
	From, To     int64
	ContentRange string   // empty if all of it was asked for
	Checksum     Checksum // of the span, if S3 knows it
	Several      bool     // ranges were asked for
}

// Span returns what a range or a part number means; neither is everything.
func (o *Object) Span(ranged string, part *int32) (Span, error) {
	switch {
	case ranged != "" && part != nil:
		return Span{}, Invalid("Cannot specify both Range header and partNumber query parameter")
	case part != nil:
		return o.part(int(*part))
	case ranged != "":
		return o.ranged(ranged)
	}
	return Span{To: o.Size(), Checksum: o.Checksum}, nil
}

// part returns a part of an object; one that came in one piece has one.
func (o *Object) part(number int) (Span, error) {
	if number < 1 || number > maxParts {
		return Span{}, InvalidArgument("Part number must be an integer between 1 and %d, inclusive", maxParts)
	}
	if o.Parts == nil && number == 1 {
		s := Span{To: o.Size(), Checksum: o.Checksum}
		s.describe(o)
		return s, nil
	}
	from := int64(0)
	for _, p := range o.Parts {
		if p.Number == number {
			s := Span{From: from, To: from + p.Size, Checksum: p.Checksum}
			s.Checksum.Type = o.Checksum.Type
			if p.Checksum.Algorithm == "" {
				s.Checksum = Checksum{}
			}
			s.describe(o)
			return s, nil
		}
		from += p.Size
	}
	return Span{}, &awstest.APIError{
		Code: "InvalidPartNumber", Message: "The requested partnumber is not satisfiable", Status: http.StatusRequestedRangeNotSatisfiable,
	}
}

func (s *Span) describe(o *Object) {
	if o.Size() > 0 {
		s.ContentRange = fmt.Sprintf("bytes %d-%d/%d", s.From, s.To-1, o.Size())
	}
}

// ranged reads the header Range; one that makes no sense is passed over.
// Source: https://www.rfc-editor.org/rfc/rfc9110#name-range (read 2026-11)
func (o *Object) ranged(text string) (Span, error) {
	all := Span{To: o.Size(), Checksum: o.Checksum}
	spec, ok := strings.CutPrefix(text, "bytes=")
	if !ok {
		return all, nil
	}
	if strings.Contains(spec, ",") {
		return Span{Several: true}, nil
	}
	first, last, ok := strings.Cut(strings.TrimSpace(spec), "-")
	if !ok {
		return all, nil
	}
	s := Span{To: o.Size()}
	from, errFrom := strconv.ParseUint(first, 10, 63)
	to, errTo := strconv.ParseUint(last, 10, 63)
	switch {
	case first == "" && errTo == nil: // the last so many bytes
		s.From = max(0, o.Size()-int64(to))
	case errFrom == nil && last == "":
		s.From = int64(from)
	case errFrom == nil && errTo == nil && from <= to:
		s.From, s.To = int64(from), min(int64(to), o.Size()-1)+1
	default:
		return all, nil
	}
	if s.From >= s.To {
		return Span{}, &awstest.APIError{
			Code: "InvalidRange", Message: "The requested range is not satisfiable", Status: http.StatusRequestedRangeNotSatisfiable,
		}
	}
	s.describe(o)
	return s, nil
}
