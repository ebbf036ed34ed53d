"""The command `compare`: approaches to one task on the same clips, steps and seeds.

`approaches` says which trainings that takes, `measured` trains what is not trained yet and has
every model answer the held-out clips, `content` says what that comes to, `tables` prints it.
Nothing here knows a task.
"""
