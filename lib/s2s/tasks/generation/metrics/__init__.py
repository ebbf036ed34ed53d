"""What a sound is worth beside the real one."""
