package ddbmodel

// Kept returns how many keys are in the order, those of deleted items
// included.
func (s *Items) Kept() int {
	n := 0
	for _, b := range s.order.blocks {
		n += len(b)
	}
	return n
}
