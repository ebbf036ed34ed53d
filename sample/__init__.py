"""The sample catalog: a rendered world whose sound follows from its picture."""
