package awstest

// Flows returns how many connections the data plane knows of.
func (c *Cloud) Flows() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.net.flows)
}

// Scheduled returns how many events are to come.
func (c *Cloud) Scheduled() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.loop.events)
}
