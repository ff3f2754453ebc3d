package dynamodbsvc

import (
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/awsha/awsha/awstest/internal/ddbexpr"
)

type attributes = map[string]types.AttributeValue

// toItem reads attributes of a request. Of several mistakes the error is about
// the first in the order of the names, so that runs repeat.
func toItem(in attributes) (ddbexpr.Map, error) {
	item := make(ddbexpr.Map, len(in))
	wrong := false
	for name, v := range in {
		value, err := toAttribute(name, v)
		item[name] = value
		wrong = wrong || err != nil
	}
	if !wrong {
		return item, nil
	}
	for _, name := range slices.Sorted(maps.Keys(in)) {
		if _, err := toAttribute(name, in[name]); err != nil {
			return nil, err
		}
	}
	return item, nil
}

// maxName is how long the name of an attribute may be.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html (read 2026-11)
const maxName = 64<<10 - 1

func toAttribute(name string, in types.AttributeValue) (ddbexpr.Value, error) {
	if name == "" || len(name) > maxName {
		return nil, invalid("One or more parameter values were invalid: Attribute names must have from 1 to %d bytes", maxName)
	}
	return toValue(in)
}

func toValue(in types.AttributeValue) (ddbexpr.Value, error) {
	switch in := in.(type) {
	case *types.AttributeValueMemberS:
		return ddbexpr.String(in.Value), nil
	case *types.AttributeValueMemberN:
		n, err := ddbexpr.ParseNumber(in.Value)
		return n, err
	case *types.AttributeValueMemberB:
		return ddbexpr.Binary(in.Value), nil
	case *types.AttributeValueMemberBOOL:
		return ddbexpr.Bool(in.Value), nil
	case *types.AttributeValueMemberNULL:
		if !in.Value {
			return nil, invalid("One or more parameter values were invalid: Null attribute value types must have the value of true")
		}
		return ddbexpr.Null{}, nil
	case *types.AttributeValueMemberM:
		m, err := toItem(in.Value)
		return m, err
	case *types.AttributeValueMemberL:
		list, err := each(in.Value, toValue)
		return ddbexpr.List(list), err
	case *types.AttributeValueMemberSS:
		return toSet(ddbexpr.SS, in.Value, func(s string) (ddbexpr.Value, error) { return ddbexpr.String(s), nil })
	case *types.AttributeValueMemberNS:
		return toSet(ddbexpr.NS, in.Value, func(s string) (ddbexpr.Value, error) {
			n, err := ddbexpr.ParseNumber(s)
			return n, err
		})
	case *types.AttributeValueMemberBS:
		return toSet(ddbexpr.BS, in.Value, func(b []byte) (ddbexpr.Value, error) { return ddbexpr.Binary(b), nil })
	}
	return nil, invalid("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
}

func each[T any](in []T, to func(T) (ddbexpr.Value, error)) ([]ddbexpr.Value, error) {
	list := make([]ddbexpr.Value, len(in))
	for i, v := range in {
		var err error
		if list[i], err = to(v); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func toSet[T any](kind ddbexpr.Kind, in []T, to func(T) (ddbexpr.Value, error)) (ddbexpr.Value, error) {
	members, err := each(in, to)
	if err != nil {
		return nil, err
	}
	set, err := ddbexpr.NewSet(kind, members)
	return set, err
}

// fromItem writes an item for the caller, who may change it. The nil item is
// none.
func fromItem(item ddbexpr.Map) attributes {
	if item == nil {
		return nil
	}
	out := make(attributes, len(item))
	for name, v := range item {
		out[name] = fromValue(v)
	}
	return out
}

func fromValue(v ddbexpr.Value) types.AttributeValue {
	switch v := v.(type) {
	case ddbexpr.String:
		return &types.AttributeValueMemberS{Value: string(v)}
	case ddbexpr.Number:
		return &types.AttributeValueMemberN{Value: v.String()}
	case ddbexpr.Binary:
		return &types.AttributeValueMemberB{Value: []byte(v)}
	case ddbexpr.Bool:
		return &types.AttributeValueMemberBOOL{Value: bool(v)}
	case ddbexpr.Map:
		return &types.AttributeValueMemberM{Value: fromItem(v)}
	case ddbexpr.List:
		list := make([]types.AttributeValue, len(v))
		for i, e := range v {
			list[i] = fromValue(e)
		}
		return &types.AttributeValueMemberL{Value: list}
	case ddbexpr.Set:
		return fromSet(v)
	}
	return &types.AttributeValueMemberNULL{Value: true}
}

func fromSet(s ddbexpr.Set) types.AttributeValue {
	var texts []string
	var binaries [][]byte
	for _, m := range s.Members() {
		switch m := m.(type) {
		case ddbexpr.String:
			texts = append(texts, string(m))
		case ddbexpr.Number:
			texts = append(texts, m.String())
		case ddbexpr.Binary:
			binaries = append(binaries, []byte(m))
		}
	}
	switch s.Kind() {
	case ddbexpr.SS:
		return &types.AttributeValueMemberSS{Value: texts}
	case ddbexpr.NS:
		return &types.AttributeValueMemberNS{Value: texts}
	}
	return &types.AttributeValueMemberBS{Value: binaries}
}
