package ec2svc

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

// filterable is how a kind of resource answers to EC2's filters: by name, the
// values that the resource has.
type filterable[T any] map[string]func(T) []string

// matcher compiles the filters of a request: a resource matches if it has,
// for each filter, one of its values. The names tag:KEY, tag-key and tag-value
// go to tags, if it is not nil.
func (f filterable[T]) matcher(call *awstest.Call, filters []types.Filter, tags func(T) ec2model.Tags) (func(T) bool, error) {
	type condition struct {
		values []string
		of     func(T) []string
	}
	var conditions []condition
	for _, filter := range filters {
		name := aws.ToString(filter.Name)
		of, ok := f[name]
		if !ok && tags != nil {
			of = tagFilter(name, tags)
		}
		if of == nil {
			return nil, call.NotModelled("filter %q", name)
		}
		conditions = append(conditions, condition{filter.Values, of})
	}
	return func(v T) bool {
		for _, c := range conditions {
			if !slices.ContainsFunc(c.of(v), func(has string) bool {
				return slices.ContainsFunc(c.values, func(want string) bool { return wildcard(want, has) })
			}) {
				return false
			}
		}
		return true
	}, nil
}

func tagFilter[T any](name string, tags func(T) ec2model.Tags) func(T) []string {
	key, byKey := strings.CutPrefix(name, "tag:")
	if !byKey && name != "tag-key" && name != "tag-value" {
		return nil
	}
	return func(v T) []string {
		var values []string
		for _, t := range tags(v) {
			switch {
			case name == "tag-key":
				values = append(values, t.Key)
			case name == "tag-value" || byKey && t.Key == key:
				values = append(values, t.Value)
			}
		}
		return values
	}
}

// wildcard matches as EC2's filters do: * is any text, ? any one character, a
// backslash takes the next character as it is.
// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html (read 2026-11)
func wildcard(pattern, s string) bool {
	// After a star that failed, go on from one character further: linear in
	// practice, and never exponential.
	star, retry := -1, 0
	p, i := 0, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, retry = p, i
			p++
			continue
		case p+1 < len(pattern) && pattern[p] == '\\' && pattern[p+1] == s[i]:
			p += 2
			i++
			continue
		case p < len(pattern) && pattern[p] != '\\' && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
			continue
		case star < 0:
			return false
		}
		retry++
		p, i = star+1, retry
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// selected tells whether an ID is asked for; no IDs ask for everything.
func selected(ids []string, id string) bool { return len(ids) == 0 || slices.Contains(ids, id) }
