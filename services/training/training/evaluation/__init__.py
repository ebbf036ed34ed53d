"""What a model is worth: figures on clips of sources that it was not trained on.

Every system of `systems` gives each held-out clip a sound; `scores` compares it with the real one;
`figures` says what that comes to over many clips. A training does it quickly (`quick`), the command
`evaluate` thoroughly (`full`).
"""
