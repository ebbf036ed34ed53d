"""Media from strangers: what is let in, and where it is worked on."""
