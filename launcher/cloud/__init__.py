"""Trainings on Vertex AI."""
