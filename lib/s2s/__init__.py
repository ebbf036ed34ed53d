"""The shared library of Silent to Sound: what every service is built from."""

import os

# To be set before torch is first imported. Threads that spin while they wait make a training on
# two busy cores five times as slow as threads that sleep.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
