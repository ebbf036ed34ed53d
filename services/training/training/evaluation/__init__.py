"""Evaluation: figures on clips of sources that the model was not trained on.

A task brings systems, a judge and figures (`s2s.tasks.contract`); nothing here knows which. Every
system answers every held-out clip, the judge scores each answer against the truth, and figures are
computed from the scores of many clips. A training computes a few figures (`after_training`), the
command `evaluate` all of them (`thorough`).
"""
