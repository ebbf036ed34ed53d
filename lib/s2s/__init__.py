"""The shared library of Silent to Sound: what every service is built from."""

import os

# To be set before torch is first imported. Threads that spin for as long as they wait make a
# training on two busy cores three times as slow as threads that sleep at once; but on two idle
# cores those that sleep take half as long again. To spin for a little, then sleep, suits both.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "5000")
