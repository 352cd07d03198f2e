"""The log in other people's formats."""
