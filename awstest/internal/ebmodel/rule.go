package ebmodel

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/awsha/awsha/awstest"
)

// Rule is a rule. It is a value: a change makes a new one.
type Rule struct {
	Name, ARN   string
	Description string
	Pattern     string
	Disabled    bool
	Targets     []Target // not to be changed

	pattern *Pattern
}

// Target is a queue that a rule delivers to.
type Target struct {
	ID, ARN string
	Group   string // message group ID; empty if there is none
}

// The rules for names and descriptions. They are as the API reference is known to
// have them; its pages on PutRule and Target could not be read again in 2026-11, and
// the SDK does not state them.
var name = regexp.MustCompile(`^[-._A-Za-z0-9]{1,64}$`)

const maxDescription = 512

// The quotas of patterns and targets.
// Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html (read 2026-11), PutTargetsInput of the SDK
const (
	maxPattern = 2048
	maxTargets = 5
	maxEntries = 10 // of a request
)

// CheckName refuses a name that no rule can have.
func CheckName(parameter, v string) error {
	if !name.MatchString(v) {
		return invalid("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+, from 1 to 64 characters", v, parameter)
	}
	return nil
}

// CheckEntries refuses a number of entries that no request can have.
func CheckEntries(parameter string, n int) error {
	if n < 1 || n > maxEntries {
		return invalid("1 validation error detected: Value at '%s' failed to satisfy constraint: Member must have length between 1 and %d", parameter, maxEntries)
	}
	return nil
}

// PutRule makes a rule, or replaces all of one but its targets.
func (r *Region) PutRule(tx *awstest.Tx, rule Rule) (Rule, error) {
	if err := CheckName("name", rule.Name); err != nil {
		return rule, err
	}
	switch {
	case rule.Pattern == "":
		return rule, invalid("Parameter(s) EventPattern or ScheduleExpression must be specified.")
	case utf8.RuneCountInString(rule.Description) > maxDescription:
		return rule, invalid("1 validation error detected: Value at 'description' failed to satisfy constraint: Member must have length less than or equal to %d", maxDescription)
	case utf8.RuneCountInString(rule.Pattern) > maxPattern:
		return rule, awstest.Errorf("LimitExceededException", "The event pattern has more than %d characters.", maxPattern)
	}
	var err error
	if rule.pattern, err = ParsePattern(rule.Pattern); err != nil {
		return rule, err
	}
	before, _ := r.rules.Get(tx.Now(), rule.Name)
	rule.ARN, rule.Targets = r.arn("rule/"+rule.Name), before.Targets
	r.rules.Put(tx.Now(), rule.Name, rule)
	return rule, nil
}

// Rule returns a rule as of a moment.
func (r *Region) Rule(at time.Time, name string) (Rule, error) {
	if rule, ok := r.rules.Get(at, name); ok {
		return rule, nil
	}
	return Rule{}, awstest.Errorf("ResourceNotFoundException", "Rule %s does not exist on EventBus default.", name)
}

// DeleteRule deletes a rule that has no targets. That there is none is no
// mistake.
func (r *Region) DeleteRule(tx *awstest.Tx, name string) error {
	rule, ok := r.rules.Get(tx.Now(), name)
	if !ok {
		return nil
	}
	if len(rule.Targets) > 0 {
		return invalid("Rule can't be deleted since it has targets.")
	}
	r.rules.Delete(tx.Now(), name)
	return nil
}

// PutTargets adds targets to a rule, or replaces those of the same IDs.
func (r *Region) PutTargets(tx *awstest.Tx, name string, targets []Target) error {
	rule, err := r.Rule(tx.Now(), name)
	if err != nil {
		return err
	}
	all := slices.Clone(rule.Targets)
	for _, t := range targets {
		if err := CheckName("targets.id", t.ID); err != nil {
			return err
		}
		if strings.HasSuffix(t.ARN, ".fifo") && t.Group == "" {
			return invalid("Parameter(s) SqsParameters must be specified for target: %s.", t.ID)
		}
		if i := slices.IndexFunc(all, func(o Target) bool { return o.ID == t.ID }); i >= 0 {
			all[i] = t
		} else {
			all = append(all, t)
		}
	}
	if len(all) > maxTargets {
		return awstest.Errorf("LimitExceededException", "The requested resource exceeds the maximum number allowed: %d targets of a rule.", maxTargets)
	}
	rule.Targets = all
	r.rules.Put(tx.Now(), name, rule)
	return nil
}

// RemoveTargets takes targets away from a rule. IDs that it does not have are
// passed over.
func (r *Region) RemoveTargets(tx *awstest.Tx, name string, ids []string) error {
	rule, err := r.Rule(tx.Now(), name)
	if err != nil {
		return err
	}
	rule.Targets = slices.DeleteFunc(slices.Clone(rule.Targets), func(t Target) bool { return slices.Contains(ids, t.ID) })
	r.rules.Put(tx.Now(), name, rule)
	return nil
}

// QueueName returns the name of the queue that an ARN names, which must be in
// the region of the rule and of the same account.
func (r *Region) QueueName(arn string) (string, bool) {
	return strings.CutPrefix(arn, fmt.Sprintf("arn:aws:sqs:%s:%s:", r.region.Name(), r.model.cloud.AccountID()))
}
