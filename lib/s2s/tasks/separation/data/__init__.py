"""Mixtures out of clips: drawn anew for training, fixed for whatever is measured."""

from s2s.tasks.separation.data.clips import Talkers, measure_lips, speaker_of
from s2s.tasks.separation.data.dataset import MixtureDataset, validation_plans
from s2s.tasks.separation.data.held_out import HeldOutMixtures
from s2s.tasks.separation.data.mixing import Mixer, Mixture
from s2s.tasks.separation.data.plan import MixturePlan

__all__ = [
    "HeldOutMixtures",
    "Mixer",
    "Mixture",
    "MixtureDataset",
    "MixturePlan",
    "Talkers",
    "measure_lips",
    "speaker_of",
    "validation_plans",
]
