package conformance_test

import (
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
)

var addressRaces = []scenario{{
	name: "of eight who ask at once one gets the address",
	run: func(s *session) {
		var names []string
		for n := range 8 {
			names = append(names, fmt.Sprintf("interface %d", n))
		}
		enis, a := s.nics(names...), s.allocate("the address")
		ids, errs := make([]string, len(enis)), make([]error, len(enis))
		var all sync.WaitGroup
		for n, eni := range enis {
			all.Go(func() { ids[n], errs[n] = s.associate(a, toInterface(eni), aws.Bool(false)) })
		}
		all.Wait()
		outcomes, winner := map[string]int{}, -1
		for n, err := range errs {
			outcomes[outcome(err)]++
			if err == nil {
				winner = n
			}
		}
		s.is("outcomes", fmt.Sprint(outcomes), "map[Resource.AlreadyAssociated:7 accepted:1]")
		if winner < 0 {
			return
		}
		s.shows("the address is with the winner", "true", func() string { return fmt.Sprint(s.holder(a) == enis[winner]) })
		s.is("under the winner's association", same(told(s.address(a).AssociationId), ids[winner]), "the same")
	},
}}
