package queueworker_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/awsha/awsha/queueworker"
)

// odd is an error that, like many, cannot do with a nil pointer.
type odd struct{ text string }

func (e *odd) Error() string { return e.text }

// Handlers that return a nil pointer as an error fail, and take nobody else along.
func TestAnErrorThatPanicsIsAFailureLikeOthers(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"a nil pointer":          (*odd)(nil),
		"a nil *OutcomeError":    (*queueworker.OutcomeError)(nil),
		"a nil *DecodeError":     (*queueworker.DecodeError)(nil),
		"its method As":          treacherous{},
		"the reason of a drop":   queueworker.Drop((*odd)(nil)),
		"the reason of a letter": queueworker.DeadLetter((*odd)(nil)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, nil)
				w.send(1)
				tries := 0
				worker := w.worker(func(context.Context, *queueworker.Message) error {
					if tries++; tries == 1 {
						return err
					}
					return nil
				}, func(o *queueworker.Options) {
					o.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
				})
				if err := w.runFor(worker, time.Hour); err != nil {
					t.Error(err)
				}
				if visible, inFlight := w.counts(w.url); visible+inFlight != 0 {
					t.Errorf("%d and %d are left after %d tries", visible, inFlight, tries)
				}
			})
		})
	}
}
