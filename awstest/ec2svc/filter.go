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

// one is a filter on a single value.
func one[T any](value func(T) string) func(T) []string {
	return func(v T) []string { return []string{value(v)} }
}

// ifAny is a filter on a value that may be missing, which is shown as "".
func ifAny[T any](value func(T) string) func(T) []string {
	return func(v T) []string {
		if text := value(v); text != "" {
			return []string{text}
		}
		return nil
	}
}

// lookup returns the filter of a name. On resources with tags there are also
// tag:KEY for any key, and tag-key.
func (f filterable[T]) lookup(name string, tags func(T) ec2model.Tags) func(T) []string {
	if of, ok := f[name]; ok {
		return of
	}
	key, byKey := strings.CutPrefix(name, "tag:")
	if tags == nil || (!byKey && name != "tag-key") {
		return nil
	}
	return func(v T) (values []string) {
		for _, t := range tags(v) {
			switch {
			case !byKey:
				values = append(values, t.Key)
			case t.Key == key:
				values = append(values, t.Value)
			}
		}
		return values
	}
}

// matcher compiles the filters of a request: a resource matches if it has,
// for each filter, one of its values. The filters on tags are there if tags
// is not nil.
func (f filterable[T]) matcher(call *awstest.Call, filters []types.Filter, tags func(T) ec2model.Tags) (func(T) bool, error) {
	type condition struct {
		of     func(T) []string
		values []pattern
	}
	var conditions []condition
	for _, filter := range filters {
		name := aws.ToString(filter.Name)
		c := condition{of: f.lookup(name, tags)}
		if c.of == nil {
			return nil, call.NotModelled("filter %q", name)
		}
		if len(filter.Values) == 0 {
			return nil, call.NotModelled("filter %q without values", name)
		}
		for _, text := range filter.Values {
			c.values = append(c.values, compile(text))
		}
		conditions = append(conditions, c)
	}
	return func(v T) bool {
		for _, c := range conditions {
			if !slices.ContainsFunc(c.of(v), func(has string) bool {
				return slices.ContainsFunc(c.values, func(p pattern) bool { return p.match(has) })
			}) {
				return false
			}
		}
		return true
	}, nil
}

// only keeps what matches.
func only[T any](list []T, match func(T) bool) []T {
	return slices.DeleteFunc(list, func(v T) bool { return !match(v) })
}
