package awstest

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Service is an adapter: AWS's side of one service. It is given to [New],
// which calls it once with a registry to add its operations to.
//
// The adapters of this module are ec2svc.New, elbv2svc.New, stssvc.New and so
// on. Others can be written with nothing but this package: an operation is
// one typed function, given to [Handle].
type Service func(*Registry) error

// Registry is where a [Service] enters itself into the cloud.
type Registry struct{ cloud *Cloud }

// Cloud returns the cloud that is being made. It must not be called yet.
func (r *Registry) Cloud() *Cloud { return r.cloud }

// ServiceSpec describes a service to [Registry.Add].
type ServiceSpec struct {
	// ID is the SDK's service ID, the constant ServiceID of its package.
	ID string

	// Global is a service with one control plane for all regions, as Route 53
	// is: calls from whatever region go to us-east-1, and faults and records
	// name that.
	Global bool

	// Throttled, Unavailable and Denied are what the service answers when
	// a call is refused for its rate, its state or its permissions. Default:
	// Throttling (400), ServiceUnavailable (503) and AccessDenied (403).
	Throttled, Unavailable, Denied APIError

	// Modelled turns an error code into the error type of the SDK, or returns
	// nil for one that the SDK leaves generic; clients of the older protocols
	// know a type in some of the operations only. Optional.
	Modelled func(operation, code, message string) error
}

// Endpoint is a service inside a cloud.
type Endpoint struct {
	cloud *Cloud
	spec  ServiceSpec
	ops   map[string]*operation
	err   error
}

type operation struct {
	name    string
	input   reflect.Type
	unread  []int               // fields of the input that the handler does not read
	body    func(any) io.Reader // nil for operations without
	handle  func(*Tx, *Call, any, []byte, *reply)
	copyIn  func(any) any // for the ledger
	copyOut func(any) any
}

// Add enters a service into the cloud. Its operations follow by [Handle].
func (r *Registry) Add(spec ServiceSpec) *Endpoint {
	for _, d := range []struct {
		e        *APIError
		standard APIError
	}{
		{&spec.Throttled, APIError{"Throttling", "Rate exceeded", http.StatusBadRequest}},
		{&spec.Unavailable, APIError{"ServiceUnavailable", "The service is unavailable.", http.StatusServiceUnavailable}},
		{&spec.Denied, APIError{"AccessDenied", "You are not authorized to perform this operation.", http.StatusForbidden}},
	} {
		if d.e.Code == "" {
			*d.e = d.standard
		}
	}
	e := &Endpoint{cloud: r.cloud, spec: spec, ops: map[string]*operation{}}
	if _, twice := r.cloud.services[spec.ID]; twice || spec.ID == "" {
		e.err = &FieldError{Field: "services", Value: fmt.Sprintf("%q", spec.ID), Rule: "must have an ID that no other service has"}
		return e
	}
	r.cloud.services[spec.ID] = e
	return e
}

// Err returns the first mistake in what was added, or nil. A [Service]
// returns it.
func (e *Endpoint) Err() error { return e.err }

// Handle adds an operation to a service. Its name is that of the input type,
// without "Input"; fields are the members of the input that fn looks at, or
// that may be ignored without harm: a call that sets any other one fails with
// a [*NotModelledError] instead of being half understood.
//
// fn runs with the cloud locked: it must not wait. It must not keep or change
// the input. An error that is an [*APIError] reaches the caller in the shape
// that the SDK gives it; any other error as it is.
func Handle[In, Out any](e *Endpoint, fn func(*Tx, *Call, *In) (*Out, error), fields ...string) {
	handle[In, Out](e, nil, func(tx *Tx, call *Call, in *In, _ []byte, r *reply) {
		out, err := fn(tx, call, in)
		(&Reply[Out]{r}).Send(tx, out, err)
	}, fields)
}

// HandleBody is [Handle] for an operation whose input carries a stream, which
// body returns. It is read to its end before the cloud is locked; fn gets what
// was read and may keep it. A stream that fails fails the call, without effect.
func HandleBody[In, Out any](e *Endpoint, body func(*In) io.Reader, fn func(*Tx, *Call, *In, []byte) (*Out, error), fields ...string) {
	handle[In, Out](e, body, func(tx *Tx, call *Call, in *In, data []byte, r *reply) {
		out, err := fn(tx, call, in, data)
		(&Reply[Out]{r}).Send(tx, out, err)
	}, fields)
}

// HandleLater is [Handle] for an operation that may be answered after fn has
// returned, such as a long poll: by [Reply.Send], from an event of
// [Tx.Schedule] or on occasion of another call.
func HandleLater[In, Out any](e *Endpoint, fn func(*Tx, *Call, *In, *Reply[Out]), fields ...string) {
	handle[In, Out](e, nil, func(tx *Tx, call *Call, in *In, _ []byte, r *reply) {
		fn(tx, call, in, &Reply[Out]{r})
	}, fields)
}

func handle[In, Out any](e *Endpoint, body func(*In) io.Reader, fn func(*Tx, *Call, *In, []byte, *reply), fields []string) {
	in := reflect.TypeFor[In]()
	stream := streamOf(reflect.TypeFor[Out]())
	op := &operation{
		name:  strings.TrimSuffix(in.Name(), "Input"),
		input: in,
		handle: func(tx *Tx, call *Call, v any, data []byte, r *reply) {
			fn(tx, call, v.(*In), data, r)
		},
		copyIn: func(v any) any { return deepCopy(reflect.ValueOf(v)).Interface() },
		copyOut: func(v any) any {
			out := *v.(*Out)
			if stream >= 0 {
				reflect.ValueOf(&out).Elem().Field(stream).SetZero()
			}
			return &out
		},
	}
	if body != nil {
		op.body = func(v any) io.Reader { return body(v.(*In)) }
	}
	known := map[string]bool{}
	for _, f := range fields {
		if sf, ok := in.FieldByName(f); !ok || !sf.IsExported() {
			e.fail(&FieldError{Field: in.Name(), Value: fmt.Sprintf("%q", f), Rule: "is not a field of the input"})
		}
		known[f] = true
	}
	for i := range in.NumField() {
		if f := in.Field(i); f.IsExported() && !known[f.Name] {
			op.unread = append(op.unread, i)
		}
	}
	if _, twice := e.ops[op.name]; twice {
		e.fail(&FieldError{Field: in.Name(), Value: op.name, Rule: "is handled twice"})
	}
	e.ops[op.name] = op
}

// streamOf returns the field of an output that is a stream, or -1. It belongs
// to the caller, who reads it to its end: the ledger must not have it.
func streamOf(out reflect.Type) int {
	for i := range out.NumField() {
		if f := out.Field(i); f.IsExported() && f.Type == reflect.TypeFor[io.ReadCloser]() {
			return i
		}
	}
	return -1
}

// Services returns the SDK's IDs of the services in this cloud, in order.
func (c *Cloud) Services() []string { return slices.Sorted(maps.Keys(c.services)) }

// Operations returns the operations of a service that are modelled, in order:
// those that [Match] can name. It is empty for a service that is not there.
func (c *Cloud) Operations(service string) []string {
	e, ok := c.services[service]
	if !ok {
		return nil
	}
	return slices.Sorted(maps.Keys(e.ops))
}

func (e *Endpoint) fail(err error) {
	if e.err == nil {
		e.err = err
	}
}

// unmodelled names the first field that is set and that nobody reads.
func (op *operation) unmodelled(in any) (field string, found bool) {
	v := reflect.ValueOf(in).Elem()
	for _, i := range op.unread {
		f := v.Field(i)
		if f.IsZero() || (f.Kind() == reflect.Slice || f.Kind() == reflect.Map) && f.Len() == 0 {
			continue
		}
		return v.Type().Field(i).Name, true
	}
	return "", false
}

// Shared returns the value that the services of a cloud share under its type,
// and makes it the first time: EC2 and Auto Scaling look at the same
// instances.
func Shared[T any](r *Registry, create func(*Cloud) *T) *T {
	key := reflect.TypeFor[T]()
	if v, ok := r.cloud.shared[key]; ok {
		return v.(*T)
	}
	v := create(r.cloud)
	r.cloud.shared[key] = v
	return v
}

// Lookup returns the value that the services of the cloud share under its
// type, and whether there is one. It is for what a model offers besides
// operations, once the cloud is made.
func Lookup[T any](tx *Tx) (*T, bool) {
	v, ok := tx.cloud.shared[reflect.TypeFor[T]()].(*T)
	return v, ok
}

// Call is one call as a handler sees it: one attempt, since the SDK's retries
// are calls of their own.
type Call struct {
	Service   string // SDK service ID
	Operation string
	Region    *Region
	RequestID string

	// Caller is the instance whose Config the client was made from; nil for
	// clients of [Cloud.Config].
	Caller *Instance

	// Header is what the request carries in HTTP, trailers of its body included:
	// what the SDK adds to the input, such as checksums. It must not be changed.
	Header http.Header

	// At is the moment as of which reads are served: now, less the
	// visibility lag. Mutations look at and change the present.
	At time.Time

	specials []any
}

// NotModelled returns the error for a part of this call that the adapter does
// not know, such as a filter.
func (c *Call) NotModelled(format string, args ...any) error {
	return &NotModelledError{Service: c.Service, Operation: c.Operation, What: fmt.Sprintf(format, args...)}
}
