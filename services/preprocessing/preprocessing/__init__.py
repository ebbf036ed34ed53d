"""Preprocessing: from sources in `raw_data/` to clips of one length, their sound beside them."""
