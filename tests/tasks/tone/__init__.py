"""How loud a video is: the smallest task that has every part."""
