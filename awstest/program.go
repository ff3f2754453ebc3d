package awstest

import (
	"context"
	"errors"
)

// ErrHalted is why the context of a program ends when its machine does.
var ErrHalted = errors.New("awstest: the machine has halted")

// Program returns a context for a program that runs on the instance. It ends
// with ctx, and with the cause [ErrHalted] when the machine loses its power or
// is switched off; at once if it does not run. A program that is to be there
// after a reboot is started again by the test: calls that are made under this
// context, or one made from it, [context.WithoutCancel] included, through the
// instance's Config do not get through any more, also when it runs again.
//
// Call end when the program has ended, as with any context.
func (i *Instance) Program(ctx context.Context) (program context.Context, end context.CancelFunc) {
	of := programOf{instance: i}
	live := false
	ctx, cancel := context.WithCancelCause(ctx)
	key := &cancel
	i.cloud.Update(func(*Tx) {
		if live = i.live; live {
			i.programs[key] = cancel
			of.boot = i.boot
		}
	})
	program = context.WithValue(ctx, programKey{}, of)
	if !live {
		cancel(ErrHalted)
	}
	return program, func() {
		i.cloud.Update(func(*Tx) { delete(i.programs, key) })
		cancel(context.Canceled)
	}
}

// programOf is what the context of a program says: where it runs, and since
// which boot; none if it never did.
type programOf struct {
	instance *Instance
	boot     int
}

type programKey struct{}

// kill ends the programs of a machine.
func (tx *Tx) kill(i *Instance) {
	for key, cancel := range i.programs {
		delete(i.programs, key)
		tx.AfterUnlock(func() { cancel(ErrHalted) })
	}
}
