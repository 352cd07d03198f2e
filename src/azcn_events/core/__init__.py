"""The pure core: values, events, rules, history. No I/O, no clock, no randomness."""
