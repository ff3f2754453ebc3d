package elbv2hc

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/smithy-go"

	"github.com/awsha/awsha/internal/awserr"
)

const (
	opRegister   = "register"
	opDeregister = "deregister"

	// maxSearched bounds the search for the targets that a call was refused for: each costs some 13 calls in a chunk of
	// 100. Once so many are found, what is refused is refused as a whole, to be searched by the next Sync.
	maxSearched = 10
)

// batch registers or deregisters targets in chunks and finds out which of them are refused: Elastic Load Balancing takes all
// targets of a call or none.
type batch struct {
	syncer  *Syncer
	op      string
	call    func(context.Context, []Target) error
	done    []Target
	refused []*TargetError
	guilty  []Target // those of the refused that are refused for themselves
	found   int      // those of them that no message named
	full    error    // why no more targets fit
}

func (s *Syncer) newBatch(op string) *batch {
	b := &batch{syncer: s, op: op, call: s.register}
	if op == opDeregister {
		b.call = s.deregister
	}
	return b
}

func (s *Syncer) register(ctx context.Context, targets []Target) error {
	ctx, cancel := context.WithTimeout(ctx, s.opts.CallTimeout)
	defer cancel()
	in := &elbv2.RegisterTargetsInput{TargetGroupArn: aws.String(s.group), Targets: descriptions(targets)}
	_, err := s.api.RegisterTargets(ctx, in)
	return err
}

func (s *Syncer) deregister(ctx context.Context, targets []Target) error {
	ctx, cancel := context.WithTimeout(ctx, s.opts.CallTimeout)
	defer cancel()
	in := &elbv2.DeregisterTargetsInput{TargetGroupArn: aws.String(s.group), Targets: descriptions(targets)}
	_, err := s.api.DeregisterTargets(ctx, in)
	return err
}

// send sends targets. It returns an error that has nothing to do with the targets, which ends it.
func (b *batch) send(ctx context.Context, targets []Target) error {
	for chunk := range slices.Chunk(targets, b.syncer.opts.ChunkSize) {
		if err := b.try(ctx, chunk); err != nil {
			return err
		}
	}
	return nil
}

// try sends one call, and after a refusal without those that it named, or by halves.
func (b *batch) try(ctx context.Context, targets []Target) error {
	if len(targets) == 0 {
		return nil
	}
	if b.full != nil {
		b.refuse(targets, b.full)
		return nil //nolint:nilerr // it is kept, and the others go on
	}
	err := b.syncer.retry(ctx, func(ctx context.Context) error { return b.call(ctx, targets) })
	switch {
	case err == nil:
		b.done = append(b.done, targets...)
		return nil
	case ctx.Err() != nil || !aboutTargets(err):
		return err
	}
	if named, others := namedIn(err, targets); len(named) > 0 {
		b.refuse(named, err)
		b.guilty = append(b.guilty, named...)
		return b.try(ctx, others)
	}
	if len(targets) == 1 || b.found >= maxSearched {
		b.refuse(targets, err)
		if len(targets) == 1 {
			b.guilty = append(b.guilty, targets[0])
			b.found++
		}
		if awserr.Of(err) == awserr.Quota {
			b.full = err
		}
		return nil
	}
	half := len(targets) / 2
	if err := b.try(ctx, targets[:half]); err != nil {
		return err
	}
	return b.try(ctx, targets[half:])
}

func (b *batch) refuse(targets []Target, err error) {
	for _, t := range targets {
		b.refused = append(b.refused, &TargetError{Target: t, Op: b.op, Err: err})
	}
}

// noRoom takes the targets that did not fit out of those refused.
func (b *batch) noRoom() (targets []Target) {
	b.full = nil
	b.refused = slices.DeleteFunc(b.refused, func(e *TargetError) bool {
		quota := awserr.Of(e.Err) == awserr.Quota
		if quota {
			targets = append(targets, e.Target)
		}
		return quota
	})
	return targets
}

// namedIn tells the targets whose IDs are whole words of an error's message from the others. Messages are no contract: one
// that names none is answered by a search.
func namedIn(err error, targets []Target) (named, others []Target) {
	api := smithy.APIError(nil)
	if !errors.As(err, &api) || len(targets) == 1 {
		return nil, targets
	}
	words := map[string]bool{}
	for word := range strings.FieldsFuncSeq(api.ErrorMessage(), func(r rune) bool { return !isID(r) }) {
		words[strings.TrimRight(word, ".:")] = true
	}
	for _, t := range targets {
		if words[t.ID] {
			named = append(named, t)
		} else {
			others = append(others, t)
		}
	}
	return named, others
}

// isID reports whether IDs of targets contain a character: instances, addresses and ARNs.
func isID(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("-.:/_", r)
}
