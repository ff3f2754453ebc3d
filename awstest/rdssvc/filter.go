package rdssvc

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"github.com/awsha/awsha/awstest"
)

// filters returns what tells whether a resource passes every filter: one of
// its values has to be one of the filter's. known are the filters that there
// are, and what of a resource each looks at.
func filters[T any](call *awstest.Call, asked []types.Filter, known map[string]func(*T) []string) (func(*T) bool, error) {
	for _, f := range asked {
		if known[aws.ToString(f.Name)] == nil {
			return nil, call.NotModelled("filter %s", aws.ToString(f.Name))
		}
	}
	return func(v *T) bool {
		for _, f := range asked {
			values := known[*f.Name](v)
			if !slices.ContainsFunc(f.Values, func(want string) bool { return slices.Contains(values, want) }) {
				return false
			}
		}
		return true
	}, nil
}
