"""Separation: one speaker's voice out of a mix, chosen by the speaker's face."""
