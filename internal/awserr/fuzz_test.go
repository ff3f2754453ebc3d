package awserr_test

import (
	"strings"
	"testing"

	"github.com/aws/smithy-go"

	"github.com/awsha/awsha/internal/awserr"
)

// FuzzMessage reads any message: what is found is an ID that the message names, whole, and no message changes the class of
// a code that does not depend on it.
func FuzzMessage(f *testing.F) {
	f.Add("resource eipalloc-1 is already associated with associate-id eipassoc-0123abcd")
	f.Add("The pending instance 'i-1' is not in a valid state for this operation.")
	f.Add("The terminated instance 'i-1' is not in a valid state for this operation.")
	f.Add("eipassoc-eipassoc-1 eipassoc- -eipassoc-1")
	f.Add("")
	f.Fuzz(func(t *testing.T, message string) {
		const prefix = "eipassoc"
		id := awserr.ID(&smithy.GenericAPIError{Code: "Resource.AlreadyAssociated", Message: message}, prefix)
		if id != "" && (!strings.Contains(message, id) || !strings.HasPrefix(id, prefix+"-") || len(id) == len(prefix)+1) {
			t.Errorf("%q is read from %q", id, message)
		}
		if class := awserr.Of(&smithy.GenericAPIError{Code: "RequestLimitExceeded", Message: message}); class != awserr.Throttle {
			t.Errorf("a throttle with %q is %v", message, class)
		}
		switch class := awserr.Of(&smithy.GenericAPIError{Code: "InvalidInstanceID", Message: message}); class {
		case awserr.Pending, awserr.Gone, awserr.Terminal:
		default:
			t.Errorf("an instance in the wrong state with %q is %v", message, class)
		}
	})
}
