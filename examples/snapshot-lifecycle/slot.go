package main

import (
	"context"
	"errors"
	"time"

	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/snapshot"
)

// tellSlot runs one slot of many volumes, of which four are on an instance. A snapshot takes ten minutes.
func tellSlot(ctx context.Context, f *flags, show *screen) (*report, error) {
	w, err := newWorld(ctx, f.policy, func(o *ec2svc.Options) { o.FullSnapshot, o.PendingSnapshots = 10*time.Minute, 10_000 })
	if err != nil {
		return nil, err
	}
	report, err := w.tellSlot(ctx, f, show)
	return report, errors.Join(err, w.cloud.Close())
}

func (w *world) tellSlot(ctx context.Context, f *flags, show *screen) (*report, error) {
	const each = 4
	if err := w.launch(ctx, f.policy, f.volumes/each, each); err != nil {
		return nil, err
	}
	p := *f.policy
	p.Copies = nil
	began := time.Now()
	completed := 0
	m, err := snapshot.New(w.clients, func(o *snapshot.Options) {
		o.OnEvent = func(_ context.Context, e snapshot.Event) {
			if e.Kind == snapshot.PointCompleted {
				completed++
				show.progress(completed, f.volumes, "snapshots are completed")
			}
		}
	})
	if err != nil {
		return nil, err
	}
	show.say("one slot of %d volumes on %d instances", f.volumes, f.volumes/each)
	if _, err := m.RunSlot(ctx, &p, began); err != nil {
		return nil, err
	}
	show.setStatus("")
	r, err := newReport(ctx, m, &p)
	if err != nil {
		return nil, err
	}
	r.Volumes, r.Took = f.volumes, time.Since(began).Seconds()
	return r, nil
}
