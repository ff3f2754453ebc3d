package dynamostore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/awsha/awsha/internal/awserr"
)

// check is the look at the table before the first use. Callers that come while one is looking wait for what it sees.
type check struct {
	mu      sync.Mutex
	passed  bool // or left out
	looking *look
}

// look is one question to DynamoDB.
type look struct {
	done   chan struct{} // closed when err is known
	err    error
	gaveUp bool // the caller who asked had no more time: nothing is known
}

// ready returns nil once the table has been found to do. What is wrong with a table is found again by the next call, so that
// mending the table is enough.
func (s *Store) ready(ctx context.Context) error {
	for {
		s.check.mu.Lock()
		if s.check.passed {
			s.check.mu.Unlock()
			return nil
		}
		l, mine := s.check.looking, false
		if l == nil {
			l, mine = &look{done: make(chan struct{})}, true
			s.check.looking = l
		}
		s.check.mu.Unlock()
		if mine {
			s.look(ctx, l)
			return l.err
		}
		select {
		case <-l.done:
			if !l.gaveUp {
				return l.err
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// look asks what the table is, and tells those who wait.
func (s *Store) look(ctx context.Context, l *look) {
	l.err = s.inspect(ctx)
	l.gaveUp = l.err != nil && ctx.Err() != nil
	s.check.mu.Lock()
	s.check.passed, s.check.looking = l.err == nil, nil
	s.check.mu.Unlock()
	close(l.done)
}

func (s *Store) inspect(ctx context.Context) error {
	var out *dynamodb.DescribeTableOutput
	err := s.call(ctx, "describe table "+s.table, func(ctx context.Context, tap func(*dynamodb.Options)) (err error) {
		out, err = s.api.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &s.table}, tap)
		return err
	})
	switch {
	case awserr.Unpermitted(err):
		return fmt.Errorf("%w (Options.SkipTableCheck does without)", err)
	case err != nil:
		return err
	case out == nil || out.Table == nil:
		return fmt.Errorf("describe table %s: the reply has no table", s.table)
	}
	var errs []error
	if has, needs := keyOf(out.Table), s.opts.GroupAttribute+" S HASH, "+s.opts.NameAttribute+" S RANGE"; has != needs {
		errs = append(errs, &KeyError{Table: s.table, Has: has, Needs: needs})
	}
	if where := eventual(out.Table); where != "" {
		errs = append(errs, fmt.Errorf("table %s: %w: %s", s.table, ErrEventual, where))
	}
	return errors.Join(errs...)
}

// keyOf writes a key as a KeyError does.
func keyOf(t *types.TableDescription) string {
	kinds := map[string]types.ScalarAttributeType{}
	for _, a := range t.AttributeDefinitions {
		kinds[aws.ToString(a.AttributeName)] = a.AttributeType
	}
	parts := make([]string, len(t.KeySchema))
	for i, k := range t.KeySchema {
		name := aws.ToString(k.AttributeName)
		parts[i] = fmt.Sprintf("%s %s %s", name, kinds[name], k.KeyType)
	}
	return strings.Join(parts, ", ")
}

// eventual returns where the other replicas are of a table that agrees with them later; empty if there are none, or if they have strong
// consistency. A consistency that is not shown is EVENTUAL.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html (read 2026-11)
func eventual(t *types.TableDescription) string {
	if t.MultiRegionConsistency == types.MultiRegionConsistencyStrong || len(t.Replicas) == 0 && aws.ToString(t.GlobalTableVersion) == "" {
		return ""
	}
	regions := make([]string, len(t.Replicas))
	for i, r := range t.Replicas {
		regions[i] = aws.ToString(r.RegionName)
	}
	return "replicas in " + strings.Join(regions, ", ")
}
