"""Serving: an HTTP API and a page that give silent videos their sound."""
