"""The property-testing kit."""
