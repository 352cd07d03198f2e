"""Where events are kept: one protocol, and one module for each kind of store."""
