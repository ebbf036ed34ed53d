"""Trained models loaded for use: media in, media out."""
