"""Networks, and what turns their output into sound. Training loops live in `training`."""
