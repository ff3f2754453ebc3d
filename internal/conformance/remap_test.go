package conformance_test

import (
	"errors"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/awsha/awsha/eip"
)

// Package eip itself, with its strict guard.
var remapScenarios = []scenario{
	{
		name: "a remap moves an address and proves it",
		run: func(s *session) {
			primary, standby, a := s.launch("the primary"), s.launch("the standby"), s.allocate("the address")
			remapper := must(eip.New(s.ec2))(s)
			remap := func(to machine, from eip.Association) (eip.Result, error) {
				return remapper.Remap(s.Context(), eip.Request{
					AllocationID: a, Target: eip.Target{NetworkInterfaceID: to.eni}, Expect: eip.Expect{Association: from},
				})
			}
			first, err := remap(primary, eip.Association{})
			s.accepted("the first", err)
			s.is("the first changed something", fmt.Sprint(first.Changed), "true")
			again, err := remap(primary, eip.Association{})
			s.accepted("a repeat", err)
			s.is("the repeat changed something", fmt.Sprint(again.Changed), "false")
			s.is("association of the repeat", same(again.After.ID, first.After.ID), "the same")
			s.is("mutations of the repeat", fmt.Sprint(again.Calls.Associate+again.Calls.Disassociate), "0")

			moved, err := remap(standby, first.After)
			s.accepted("the move", err)
			s.is("interface after the move", moved.After.NetworkInterfaceID, standby.eni)
			s.is("associations and disassociations of the move", fmt.Sprint(moved.Calls.Associate, moved.Calls.Disassociate), "1 1")
			s.shows("holder", standby.eni, func() string { return s.holder(a) })
			s.is("association", same(told(s.address(a).AssociationId), moved.After.ID), "the same")
		},
	},
	{
		name: "a remap takes nothing from an owner that it does not expect",
		run: func(s *session) {
			enis, a := s.nics("the first", "the owner", "the third"), s.allocate("the address")
			remapper := must(eip.New(s.ec2))(s)
			first := must(remapper.Remap(s.Context(), eip.Request{AllocationID: a, Target: eip.Target{NetworkInterfaceID: enis[0]}}))(s).After
			second := must(s.associate(a, toInterface(enis[1]), aws.Bool(true)))(s) // by somebody without manners
			_, err := remapper.Remap(s.Context(), eip.Request{
				AllocationID: a, Target: eip.Target{NetworkInterfaceID: enis[2]}, Expect: eip.Expect{Association: first},
			})
			s.is("conflict", fmt.Sprint(errors.Is(err, eip.ErrConflict)), "true")
			var failure *eip.RemapError
			if errors.As(err, &failure) {
				s.is("owner", failure.Owner.NetworkInterfaceID, enis[1])
				s.is("association of the owner", same(failure.Owner.ID, second), "the same")
			}
			s.shows("holder", enis[1], func() string { return s.holder(a) })
		},
	},
	{
		name: "of four remaps from one owner one wins",
		run: func(s *session) {
			enis, a := s.nics("the owner", "rival 1", "rival 2", "rival 3", "rival 4"), s.allocate("the address")
			id := must(s.associate(a, toInterface(enis[0]), nil))(s)
			owner := eip.Association{ID: id, NetworkInterfaceID: enis[0]}
			rivals := enis[1:]
			errs := make([]error, len(rivals))
			var all sync.WaitGroup
			for n, rival := range rivals {
				remapper := must(eip.New(s.ec2))(s)
				all.Go(func() {
					_, errs[n] = remapper.Remap(s.Context(), eip.Request{
						AllocationID: a, Target: eip.Target{NetworkInterfaceID: rival}, Expect: eip.Expect{Association: owner},
					})
				})
			}
			all.Wait()
			won, lost, winner := 0, 0, ""
			for n, err := range errs {
				switch {
				case err == nil:
					won++
					winner = rivals[n]
				case errors.Is(err, eip.ErrConflict):
					lost++
				}
			}
			s.is("winners and losers", fmt.Sprint(won, lost), "1 3")
			s.shows("the address is with the winner", "true", func() string { return fmt.Sprint(s.holder(a) == winner) })
		},
	},
}
