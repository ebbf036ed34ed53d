"""Several machines that train together: how they meet, stay in touch, and end."""

from training.nodes.group import Nodes
from training.nodes.meeting import joined

__all__ = ["Nodes", "joined"]
