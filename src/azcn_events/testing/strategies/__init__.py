"""What stands in an event: strategies for values and classes, and the plainest."""
