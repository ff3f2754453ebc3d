package ebmodel

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/awsha/awsha/awstest"
)

// Event is an event as its source gives it; the bus adds the rest.
type Event struct {
	Source, DetailType string
	Resources          []string
	Detail             string    // JSON object
	Time               time.Time // zero means now
}

// envelope is an event as it is delivered.
// Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html (read 2026-11)
type envelope struct {
	Version    string          `json:"version"`
	ID         string          `json:"id"`
	DetailType string          `json:"detail-type"`
	Source     string          `json:"source"`
	Account    string          `json:"account"`
	Time       string          `json:"time"`
	Region     string          `json:"region"`
	Resources  []string        `json:"resources"`
	Detail     json.RawMessage `json:"detail"`
}

// sent is an event on its way.
type sent struct {
	Event
	id, body string
	since    time.Time // when it came
}

// seal gives an event its ID and its form.
func (r *Region) seal(tx *awstest.Tx, e Event) sent {
	if e.Time.IsZero() {
		e.Time = tx.Now()
	}
	n := tx.NewID("event")
	id := "00000000-0000-4000-8000-" + n[len(n)-12:]
	resources := e.Resources
	if resources == nil {
		resources = []string{}
	}
	body := toJSON(envelope{
		Version: "0", ID: id, DetailType: e.DetailType, Source: e.Source, Account: r.model.cloud.AccountID(),
		Time: e.Time.UTC().Format(time.RFC3339), Region: r.region.Name(), Resources: resources, Detail: json.RawMessage(e.Detail),
	})
	return sent{Event: e, id: id, body: body, since: tx.Now()}
}

// toJSON is JSON without escapes that only HTML needs.
func toJSON(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // of ours, or checked: it cannot fail
	return string(bytes.TrimSpace(b.Bytes()))
}

// IsObject tells whether a text is a JSON object, as the detail of an event
// has to be.
func IsObject(text string) bool {
	v, err := decode(text)
	_, ok := v.(map[string]any)
	return err == nil && ok
}
