"""The audit: verify, prove, publish, erase; all of it checkable by others."""
