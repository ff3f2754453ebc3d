package ebmodel_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ebmodel"
)

const stopping = `{"version": "0", "source": "aws.ec2", "detail-type": "EC2 Instance State-change Notification", "resources": ["arn:1", "arn:2"],
	"detail": {"instance-id": "i-1", "state": "stopping", "n": 300, "none": null, "on": true, "empty": "", "nothing": [], "disks": [{"id": "a", "size": 1}, {"id": "b", "size": 2}]}}`

// TestPatterns: what the guide says of each operator.
// Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html (read 2026-11)
func TestPatterns(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]bool{
		`{"source": ["aws.ec2"]}`:                                               true,
		`{"source": ["aws.rds", "aws.ec2"]}`:                                    true,
		`{"source": ["aws.EC2"]}`:                                               false,
		`{"source": ["aws.ec2"], "detail": {"state": ["stopped"]}}`:             false,
		`{"source": ["aws.ec2"], "detail": {"state": ["stopped", "stopping"]}}`: true,
		`{"resources": ["arn:2"]}`:                                              true,
		`{"resources": ["arn:3"]}`:                                              false,
		`{"detail": {"n": [300]}}`:                                              true,
		`{"detail": {"n": [300.0]}}`:                                            false,
		`{"detail": {"n": ["300"]}}`:                                            false,
		`{"detail": {"none": [null]}}`:                                          true,
		`{"detail": {"empty": [null]}}`:                                         false,
		`{"detail": {"empty": [""]}}`:                                           true,
		`{"detail": {"absent": [null]}}`:                                        false,
		`{"detail": {"on": [true]}}`:                                            true,
		`{"detail": {"on": [false]}}`:                                           false,
		`{"detail": {"state": [{"prefix": "stop"}]}}`:                           true,
		`{"detail": {"state": [{"prefix": "Stop"}]}}`:                           false,
		`{"detail": {"n": [{"prefix": "3"}]}}`:                                  false,
		`{"detail": {"state": [{"anything-but": "running"}]}}`:                  true,
		`{"detail": {"state": [{"anything-but": ["running", "stopping"]}]}}`:    false,
		`{"detail": {"n": [{"anything-but": [1, 300]}]}}`:                       false,
		`{"detail": {"absent": [{"anything-but": "running"}]}}`:                 false,
		`{"detail": {"state": [{"exists": true}]}}`:                             true,
		`{"detail": {"state": [{"exists": false}]}}`:                            false,
		`{"detail": {"none": [{"exists": true}]}}`:                              true,
		`{"detail": {"absent": [{"exists": false}]}}`:                           true,
		`{"detail": {"absent": ["x", {"exists": false}]}}`:                      true,
		`{"detail": {"nothing": [{"exists": true}]}}`:                           false,
		`{"detail": [{"exists": true}]}`:                                        false, // it is no leaf
		`{"more": {"deep": [{"exists": false}]}}`:                               true,
		`{"more": {"deep": [{"exists": true}]}}`:                                false,
		`{"source": {"deep": [{"exists": false}]}}`:                             true,
		`{"detail": {"disks": {"id": ["b"], "size": [2]}}}`:                     true,
		`{"detail": {"disks": {"id": ["b"], "size": [1]}}}`:                     false, // of one element both
		`{"detail": {"disks": {"id": ["c"]}}}`:                                  false,
		`{"detail": {"nothing": {"id": [{"exists": false}]}}}`:                  true,
		`{"source": [{"prefix": "aws."}], "detail": {"instance-id": ["i-1"], "state": ["x", {"prefix": "s"}]}}`: true,
	} {
		p, err := ebmodel.ParsePattern(pattern)
		if err != nil {
			t.Errorf("%s: %v", pattern, err)
			continue
		}
		if got := p.Match(stopping); got != want {
			t.Errorf("%s matches: %v", pattern, got)
		}
	}
}

// FuzzPattern: what is parsed can be asked, and an event matches a pattern that
// has its own values.
func FuzzPattern(f *testing.F) {
	f.Add(`{"source": [{"prefix": "aws."}], "detail": {"state": [{"anything-but": ["a", 1]}, null]}}`, stopping)
	f.Add(`{"a": {"b": [{"exists": false}]}}`, `{"a": [{"b": 1}, {"c": [[]]}]}`)
	f.Add(`{"$or": []}`, `[]`)
	f.Fuzz(func(t *testing.T, pattern, event string) {
		p, err := ebmodel.ParsePattern(pattern)
		if err == nil {
			p.Match(event)
		} else {
			api, refused := errors.AsType[*awstest.APIError](err)
			_, unknown := errors.AsType[*ebmodel.UnmodelledError](err)
			if refused == unknown || refused && api.Code != "InvalidEventPatternException" {
				t.Fatalf("%T %v", err, err)
			}
		}
		var object map[string]any
		if json.Unmarshal([]byte(event), &object) != nil {
			return
		}
		for name, v := range object {
			text, ok := v.(string)
			if !ok || name == "$or" {
				continue
			}
			own, err := json.Marshal(map[string]any{name: []string{text}})
			if err != nil {
				t.Fatal(err)
			}
			if p, err := ebmodel.ParsePattern(string(own)); err != nil || !p.Match(event) {
				t.Fatalf("%s does not match %s: %v", event, own, err)
			}
		}
	})
}
