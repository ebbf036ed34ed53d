"""Which clip is in which split."""
