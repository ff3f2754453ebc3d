package failover

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// rollBack undoes the steps that have been done or may have been.
func (x *execution) rollBack(ctx context.Context) error {
	nodes := x.graph.nodes
	kept := make([]string, len(nodes)) // why an effect stays
	rests := func(i int) string {      // a step that stays and needs this one
		for _, next := range nodes[i].feeds {
			if kept[next] != "" {
				return nodes[next].id
			}
		}
		return ""
	}
	began, failed := x.schedule(ctx, func(n *node) (before, after []int) { return n.feeds, n.needs }, work{
		skip: func(i int) bool {
			h := x.known.steps[nodes[i].id]
			kept[i] = h.kept
			return h.kept != "" || h.undone || nodes[i].final || !h.acted()
		},
		start: func(i int) (*stepRun, func(context.Context) *StepError) {
			inputs := make(map[string]map[string]string, len(nodes[i].needs))
			for _, need := range nodes[i].needs {
				inputs[nodes[need].id] = x.known.steps[nodes[need].id].outputs
			}
			s := x.stepRun(i, inputs)
			if above := rests(i); above != "" {
				s.kept = fmt.Sprintf("step %s needs it and stays", above)
			}
			return s, s.undo
		},
		ended: func(r result) { kept[r.node] = r.kept },
		final: func(int) bool { return false },
	})
	if err := x.verdict(ctx, began, failed); err != nil {
		return err
	}
	e := &KeptError{Incident: x.incident, Service: x.service}
	for i, why := range kept {
		if why != "" {
			e.Steps = append(e.Steps, KeptStep{nodes[i].id, why})
		}
	}
	detail := ""
	if len(e.Steps) > 0 {
		detail = fmt.Sprintf("%d steps stay", len(e.Steps))
	}
	if err := x.close(ctx, IncidentRolledBack, detail); err != nil {
		return x.ended(ctx, err)
	}
	if len(e.Steps) > 0 {
		return e
	}
	return nil
}

// undo brings the step back to where it was, or to where it stays, and records which.
func (s *stepRun) undo(work context.Context) *StepError {
	return s.bounded(work, s.undoRound, func() (Kind, string) {
		if s.kept != "" {
			return KindStepKept, s.kept
		}
		return KindStepUndone, ""
	})
}

func (s *stepRun) undoRound(ctx context.Context) (recorded bool, err error) {
	if s.outcome == "" && s.kept != "" {
		s.outcome = PhaseKept
	}
	if s.outcome == "" {
		if err := s.unsettle(ctx); err != nil || s.outcome == "" {
			return false, err
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	if err := s.record(ctx, s.outcome, s.kept); err != nil {
		return false, fmt.Errorf("record %s: %w", s.outcome, err)
	}
	return true, nil
}

// unsettle looks where only that can tell whether there is anything to take back, and takes it back. It sets the outcome once that is
// certain.
func (s *stepRun) unsettle(ctx context.Context) error {
	if s.inProgress || s.known.settled == nil && !blind(s.node.step) {
		state, err := s.check(ctx)
		if s.waiting = nil; state == InProgress {
			s.waiting = err
		}
		if state == NotDone && s.underWay { // it has just ended, and the read of what came of it may lag
			s.underWay, s.doubtSince = false, time.Now()
		}
		switch {
		case err != nil && state != InProgress:
			return fmt.Errorf("check: %w", err)
		case state == NotDone && s.lagLeft() > 0:
			return nil // perhaps the read is behind the effect
		case state == NotDone:
			s.outcome = PhaseUndone
			return nil
		case s.inProgress: // Undo has been asked for, and is not through
			return nil
		case state == InProgress: // what is under way cannot be taken back yet
			s.underWay = true
			return nil
		}
	}
	if err := s.record(ctx, PhaseUndo, ""); err != nil {
		return fmt.Errorf("record undo: %w", err)
	}
	s.tell(ctx, Event{Kind: KindStepUndo})
	env, end := s.env(ctx, s.attempt)
	defer end()
	if err := env.Valid(); err != nil {
		return fmt.Errorf("fence: %w", err)
	}
	err := s.limited(ctx, func(ctx context.Context) error { return s.node.step.Undo(ctx, env) })
	s.overrun(ctx)
	switch {
	case err == nil:
		s.outcome = PhaseUndone
		return nil
	case errors.Is(err, ErrIrreversible):
		s.kept, s.outcome = err.Error(), PhaseKept
		return nil
	case errors.Is(err, ErrInProgress):
		s.inProgress = true
		return nil
	default:
		return fmt.Errorf("undo: %w", err)
	}
}

// blind tells that a step's Check knows nothing.
func blind(s Step) bool {
	b, ok := s.(interface{ blind() bool })
	return ok && b.blind()
}
