package failover

import (
	"errors"
	"fmt"
	"strings"

	"github.com/awsha/awsha/internal/awserr"
)

// ErrDenied is matched by a [*CallError] when credentials or permissions do not suffice.
var ErrDenied = errors.New("denied")

// CallError is an AWS call of a step that did not succeed.
type CallError struct {
	Action   string // the IAM action, such as "ec2:AttachVolume", which names the operation too
	Resource string // what it was about, such as "vol-1 to i-1"; may be empty
	Err      error
}

// Error reads like "ec2:AttachVolume vol-1 to i-1: operation error EC2: ...".
func (e *CallError) Error() string {
	if e.Resource == "" {
		return fmt.Sprintf("%s: %v", e.Action, e.Err)
	}
	return fmt.Sprintf("%s %s: %v", e.Action, e.Resource, e.Err)
}

// Unwrap returns the cause, and ErrDenied if that is what the cause says.
func (e *CallError) Unwrap() []error {
	if awserr.Of(e.Err) == awserr.Denied {
		return []error{e.Err, ErrDenied}
	}
	return []error{e.Err}
}

// DryRun returns what a dry run of EC2 has found: err is the error of a request whose DryRun was true, action its IAM action. A dry run that
// passes proves that the permission is there, and nothing else.
// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AttachVolume.html, DryRun (read 2026-11).
func DryRun(action, resource string, err error) Finding {
	what := strings.TrimSpace(action + " " + resource)
	switch awserr.Of(err) {
	case awserr.DryRun:
		return Finding{LevelPass, what + ": permitted", 0, 0}
	case awserr.None:
		return Finding{LevelFail, what + ": the dry run was taken for a request", 0, 0}
	case awserr.Denied:
		return Finding{LevelFail, what + ": denied: " + err.Error(), 0, 0}
	case awserr.Throttle, awserr.Transient, awserr.Unsent:
		return Finding{LevelWarn, what + ": cannot be told: " + err.Error(), 0, 0}
	default:
		return Finding{LevelFail, what + ": " + err.Error(), 0, 0}
	}
}
