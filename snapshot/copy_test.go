package snapshot_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/snapshot"
)

// taken runs a policy's creates at so many slots, an hour apart, and waits for each.
func (w *world) taken(m *snapshot.Manager, p *snapshot.Policy, slots int) {
	w.Helper()
	for range slots {
		report, err := m.Create(w.Context(), p, slot(0))
		if err != nil {
			w.Fatal(err)
		}
		if _, err := m.Wait(w.Context(), report.Points); err != nil {
			w.Fatal(err)
		}
		time.Sleep(time.Until(slot(1)))
	}
}

func copied(p *snapshot.Policy, edit ...func(*snapshot.CopyRule)) *snapshot.Policy {
	rule := snapshot.CopyRule{Region: away}
	for _, fn := range edit {
		fn(&rule)
	}
	p.Copies = []snapshot.CopyRule{rule}
	return p
}

func TestCopiesAreMadeOnce(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		p := copied(of(w.volume("app", "a")))
		p.Targets.Instances.IDs = []string{w.instance(2)}
		p.CopyTags = []string{"app"}
		m := w.manager()
		w.taken(m, p, 3)
		for round := range 2 {
			reports, err := w.manager().Copy(w.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			if n := len(reports[0].Copied); n != (1-round)*12 {
				t.Errorf("round %d: %d copies", round, n)
			}
			for series, lag := range reports[0].Lag {
				if lag != 0 {
					t.Errorf("%v lags by %v", series, lag)
				}
			}
		}
		points, err := m.Points(w.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		sources := map[snapshot.Ref]*snapshot.Point{}
		for _, point := range points {
			if point.Region == home {
				sources[point.Ref] = point
			}
		}
		for _, point := range points {
			source := sources[point.Source]
			switch {
			case point.Region == home:
			case source == nil:
				t.Errorf("%v has no source", point.Ref)
			case !point.Time.Equal(source.Time) || point.Series != source.Series || point.VolumeID != source.VolumeID || point.Slot != source.Slot ||
				point.Set != source.Set || point.Tags["app"] != source.Tags["app"] || point.State != snapshot.Completed:
				t.Errorf("copy %+v of %+v", point, source)
			}
		}
		if len(points) != 24 || w.calls("CopySnapshot") != 12 {
			t.Errorf("%d points, %d copies", len(points), w.calls("CopySnapshot"))
		}
	})
}

// The newest are copied first, and one of a volume at a time.
func TestTheNewestAreCopiedFirst(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		p := copied(of(w.volume(), w.volume()))
		m := w.manager(func(o *snapshot.Options) { o.CopySlots = 2 })
		w.taken(m, p, 4)
		if _, err := m.Copy(w.Context(), p); err != nil {
			t.Fatal(err)
		}
		var order []time.Time
		for _, e := range w.told(snapshot.Copying) {
			order = append(order, e.Slot)
		}
		if !slices.IsSortedFunc(order, func(a, b time.Time) int { return b.Compare(a) }) || len(order) != 8 {
			t.Errorf("%v", order)
		}
	})
}

func TestOnlyWhatIsWorthwhileIsCopied(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		edit func(*snapshot.CopyRule)
		want int
	}{
		"all":            {func(*snapshot.CopyRule) {}, 5},
		"the latest":     {func(c *snapshot.CopyRule) { c.LatestOnly = true }, 1},
		"those retained": {func(c *snapshot.CopyRule) { c.Retain.Last = 3 }, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inWorld(t, func(w *world) {
				p := copied(of(w.volume()), test.edit)
				m := w.manager()
				w.taken(m, p, 5)
				if _, err := m.Copy(w.Context(), p); err != nil {
					t.Fatal(err)
				}
				if n := len(w.snapshots(away)); n != test.want {
					t.Errorf("%d copies", n)
				}
			})
		})
	}
}

func TestALostReplyMakesNoSecondCopy(t *testing.T) {
	t.Parallel()
	for name, effect := range map[string]awstest.Effect{
		"lost reply":          awstest.LoseReply(),
		"server error before": awstest.Unavailable(),
		"server error after":  awstest.ApplyThenReject(awstest.APIError{Code: "InternalError", Status: 500}),
		"throttled":           awstest.Throttle(),
		"hangs":               awstest.Hang(),
		"no slot":             awstest.Reject(awstest.APIError{Code: "ResourceLimitExceeded", Message: "The limit is 5.", Status: 400}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inWorld(t, func(w *world) {
				p := copied(of(w.volume(), w.volume()))
				m := w.manager()
				time.Sleep(2 * time.Minute) // reads are behind
				w.taken(m, p, 2)
				if _, err := w.cloud.Inject(awstest.Match{Service: "EC2", Operation: "CopySnapshot", Times: 2}, effect); err != nil {
					t.Fatal(err)
				}
				if _, err := m.Copy(w.Context(), p); err != nil {
					t.Error(err)
				}
				time.Sleep(time.Minute)
				if n := len(w.snapshots(away)); n != 4 {
					t.Errorf("%d copies", n)
				}
			}, lagging(30*time.Second))
		})
	}
}

// Others use the slots too: the limit is learnt from the refusal, and none is asked for too often.
func TestSlotsAreSharedWithOthers(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		var volumes []string
		for range 12 {
			volumes = append(volumes, w.volume())
		}
		p := copied(of(volumes...))
		m := w.manager()
		w.taken(m, p, 2)
		if _, err := m.Copy(w.Context(), p); err != nil {
			t.Fatal(err)
		}
		if n := len(w.snapshots(away)); n != 24 {
			t.Errorf("%d copies", n)
		}
		if n := w.calls("CopySnapshot"); n > 60 {
			t.Errorf("%d calls for 24 copies", n)
		}
	}, func(_ *awstest.Options, o *ec2svc.Options) { o.ConcurrentCopies = 3 })
}

func TestKeysOfCopies(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		key, err := w.kms[away].CreateKey(w.Context(), &kms.CreateKeyInput{})
		if err != nil {
			t.Fatal(err)
		}
		arn := *key.KeyMetadata.Arn
		p := copied(of(w.volume()), func(c *snapshot.CopyRule) { c.KMSKeyID = arn })
		m := w.manager()
		w.taken(m, p, 1)
		if _, err := m.Copy(w.Context(), p); err != nil {
			t.Fatal(err)
		}
		points, err := m.Points(w.Context(), p)
		if err != nil || len(points) != 2 || points[1].KMSKeyID != arn {
			t.Errorf("%+v: %v", points, err)
		}
		if _, err := w.kms[away].DisableKey(w.Context(), &kms.DisableKeyInput{KeyId: &arn}); err != nil {
			t.Fatal(err)
		}
		w.taken(m, p, 1)
		if _, err := m.Copy(w.Context(), p); !errors.Is(err, snapshot.ErrKey) || w.calls("CopySnapshot") != 1 {
			t.Errorf("%d copies: %v", w.calls("CopySnapshot"), err)
		}
		p.Copies[0].KMSKeyID = "alias/none"
		if _, err := m.Copy(w.Context(), p); !errors.Is(err, snapshot.ErrNotFound) {
			t.Errorf("%v", err)
		}
	})
}

// A key that fails while the copy is being made: the copy fails, the source is held, and the next call makes it again.
func TestACopyThatFailsIsMadeAgain(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		key, err := w.kms[away].CreateKey(w.Context(), &kms.CreateKeyInput{})
		if err != nil {
			t.Fatal(err)
		}
		id := *key.KeyMetadata.KeyId
		p := copied(of(w.volume()), func(c *snapshot.CopyRule) { c.KMSKeyID = id })
		p.Retain.Last = 1
		m := w.manager()
		w.taken(m, p, 1)
		time.AfterFunc(time.Minute, func() {
			if _, err := w.kms[away].DisableKey(w.Context(), &kms.DisableKeyInput{KeyId: &id}); err != nil {
				t.Error(err)
			}
		})
		_, err = m.Copy(w.Context(), p)
		if !errors.Is(err, snapshot.ErrFailed) {
			t.Fatal(err)
		}
		w.taken(m, p, 1) // the first would go
		plan, err := m.Plan(w.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		if d := plan.Regions[0].Decisions[1]; d.Action != snapshot.Held || d.Why() != "copy to be made "+away {
			t.Errorf("%v: %s", d.Action, d.Why())
		}
		if _, err := w.kms[away].EnableKey(w.Context(), &kms.EnableKeyInput{KeyId: &id}); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Copy(w.Context(), p); err != nil {
			t.Fatal(err)
		}
		if plan, err = m.Plan(w.Context(), p); err != nil {
			t.Fatal(err)
		}
		if d := plan.Regions[0].Decisions[1]; d.Action != snapshot.Delete {
			t.Errorf("%v: %s", d.Action, d.Why())
		}
	})
}
