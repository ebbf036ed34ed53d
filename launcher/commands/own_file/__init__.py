"""A user's own file through a model, without a server: a part of it is cut, the model answers."""
