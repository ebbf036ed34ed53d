"""The shared library of Silent to Sound: what every service is built from."""
