"""What a model is worth: figures on clips of sources that it was not trained on.

A task brings systems, a judge and figures (`s2s.tasks.contract`); nothing here knows which. Every
system answers every held-out clip, the judge compares each answer with what is true, and figures
say what that comes to over many clips. A training measures a little (`after_training`), the command
`evaluate` all of it (`thorough`).
"""
