"""Voices by sound and sight together: heard apart, chosen by lips, refined with all faces in view.

Sound alone separates two different voices quickly, but does not know whose they are, and lips alone
learn slowly. So a first part separates by sound (`AudioOnly`); every face compares its lips with
each of those voices, moment by moment, and takes what goes along with them, or nothing; what it
took is refined by convolutions that see its lips, the mixture, and what the other faces took.
Faces are treated alike, and any number of them may be in view: what they exchange is a mean over
faces, as in transform-average-concatenate (Luo et al. 2020, section 3.1).

Legend: B batch, N samples, T frames, F frequencies, C channels, K voices, S faces, D lip values.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from s2s.tasks.separation.network.audio_only import AudioOnly, complex_masks, level_of
from s2s.tasks.separation.network.blocks import make_blocks
from s2s.tasks.separation.network.config import BlockShape, SeparatorConfig
from s2s.tasks.separation.network.lips import LipEncoder
from s2s.tasks.separation.network.spectrum import at_rate, features_of

__all__ = ["AudioVisual", "Separated"]

_VOICE_BLOCKS = 2
_OPEN = 3.0
"""Where the gate of a voice begins: 0.95 open."""


@dataclass(frozen=True)
class Separated:
    """What comes of a batch of mixtures.

    Attributes:
        voices_BSN: every face's voice.
        heard_BKN: voices by sound alone, in any order.
        choice_BSK: by how much each of those fits each face, logits over a window; the last is
            that none of them does.
    """

    voices_BSN: torch.Tensor
    heard_BKN: torch.Tensor
    choice_BSK: torch.Tensor


class AudioVisual(nn.Module):
    """Finds every face's voice.

    Args:
        config: its shape.
    """

    def __init__(self, config: SeparatorConfig) -> None:
        super().__init__()
        shape = config.shape
        assert isinstance(shape, BlockShape)  # noqa: S101 - for the type checker
        self.config = config
        self.sound = AudioOnly(config)
        self.spectrum = self.sound.spectrum
        self._compared = round(shape.compared_s / shape.hop_s) | 1
        frequencies, width, lip_width = self.spectrum.n_frequencies, shape.width, shape.lip_width
        self.lips = LipEncoder(config.lips, lip_width)
        self.voice = nn.Sequential(
            nn.Linear(frequencies, lip_width),
            make_blocks(lip_width, 2 * lip_width, _VOICE_BLOCKS),
        )
        self.sharpness = nn.Parameter(torch.zeros(()))
        self.nothing = nn.Parameter(torch.zeros(()))
        if config.refine:
            self.merge = nn.Linear(width + lip_width + 3 * frequencies, width)
            self.others = nn.Linear(width, width)
            self.refine = make_blocks(width, shape.hidden, shape.face_blocks)
            self.correct = nn.Linear(width, 3 * frequencies)

    def forward(
        self, mixture_BN: torch.Tensor, lips_BSTD: torch.Tensor, seen_BST: torch.Tensor
    ) -> torch.Tensor:
        """Voices of faces, (B, S, N), in their order.

        Args:
            mixture_BN: samples.
            lips_BSTD: every face's lip stream, over the same time.
            seen_BST: where each face was seen.
        """
        return self.separate(mixture_BN, lips_BSTD, seen_BST).voices_BSN

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Compile the parts: training asks for what led to the voices, too."""
        refining = [self.refine] if self.config.refine else []
        for part in (self.sound, self.lips, self.voice, *refining):
            part.compile(*args, **kwargs)

    def separate(
        self, mixture_BN: torch.Tensor, lips_BSTD: torch.Tensor, seen_BST: torch.Tensor
    ) -> Separated:
        """The same, with what led to it."""
        level = level_of(mixture_BN)
        mixture_BTF = self.spectrum.analyse(mixture_BN / level)
        masks_BKTF, heard_BTC = self.sound.heard(mixture_BTF)
        heard_BKTF = masks_BKTF * mixture_BTF[:, None]
        looks = self.lips(lips_BSTD, seen_BST)
        length = mixture_BTF.shape[1]
        looks_BSTC = at_rate(looks.flatten(0, 1), length).unflatten(0, seen_BST.shape[:2])
        fit_BSKT = self._compare(looks_BSTC, heard_BKTF)
        shares_BSKT = _shared_out(fit_BSKT)[:, :, :-1].to(masks_BKTF)
        masks_BSTF = torch.einsum("bskt,bktf->bstf", shares_BSKT, masks_BKTF)
        if self.config.refine:
            masks_BSTF = self._refined(masks_BSTF, mixture_BTF, heard_BTC, looks_BSTC)
        n_samples = mixture_BN.shape[-1]
        found_BSTF = masks_BSTF * mixture_BTF[:, None]
        return Separated(
            self.spectrum.synthesise(found_BSTF, n_samples) * level[:, None],
            self.spectrum.synthesise(heard_BKTF, n_samples) * level[:, None],
            fit_BSKT.mean(dim=-1),
        )

    def _compare(self, looks_BSTC: torch.Tensor, heard_BKTF: torch.Tensor) -> torch.Tensor:
        """How well lips and voices go together around each moment, (B, S, K + 1, T)."""
        power = torch.view_as_real(heard_BKTF).square().sum(dim=-1)
        loudness_BKTF = torch.log(power + 1e-3)
        voices = self.voice(loudness_BKTF.flatten(0, 1)).unflatten(0, loudness_BKTF.shape[:2])
        looks, voices = (F.layer_norm(x, x.shape[-1:]) for x in (looks_BSTC, voices))
        fit = torch.einsum("bstc,bktc->bskt", looks, voices) / looks.shape[-1]
        smooth = F.avg_pool1d(
            fit.flatten(0, 1), self._compared, 1, self._compared // 2, count_include_pad=False
        ).unflatten(0, fit.shape[:2])
        sharp = smooth * (1 + self.sharpness.exp()) * 4
        return torch.cat([sharp, self.nothing.expand_as(sharp[:, :, :1])], dim=2)

    def _refined(
        self,
        chosen_BSTF: torch.Tensor,
        mixture_BTF: torch.Tensor,
        heard_BTC: torch.Tensor,
        looks_BSTC: torch.Tensor,
    ) -> torch.Tensor:
        """Masks that are corrected with the lips in view, and closed where a face says nothing."""
        n_faces = chosen_BSTF.shape[1]
        own = features_of(chosen_BSTF * mixture_BTF[:, None])
        heard = heard_BTC[:, None].expand(-1, n_faces, -1, -1)
        merged_BSTC = self.merge(torch.cat([heard, looks_BSTC, own], dim=-1))
        merged_BSTC = merged_BSTC + self.others(merged_BSTC.mean(dim=1, keepdim=True))
        refined = self.refine(merged_BSTC.flatten(0, 1))
        change, gate = self.correct(refined).float().tensor_split([2 * chosen_BSTF.shape[-1]], -1)
        masks = complex_masks(change).unflatten(0, chosen_BSTF.shape[:2]) + chosen_BSTF
        return masks * torch.sigmoid(gate + _OPEN).unflatten(0, chosen_BSTF.shape[:2])


def _shared_out(fit_BSKT: torch.Tensor) -> torch.Tensor:
    """Shares of voices for faces: a voice that fits one face better is less another's.

    A softmax over voices, after one over faces: what one face takes, no other takes (as mutual
    matching in LoFTR, Sun et al. 2021, section 3.3).
    """
    fit = fit_BSKT.float()
    voices, nothing = fit[:, :, :-1], fit[:, :, -1:]
    rivals = torch.cat([voices, torch.zeros_like(voices[:, :1])], dim=1)
    contested = voices + voices - torch.logsumexp(rivals, dim=1, keepdim=True)
    return torch.softmax(torch.cat([contested, nothing], dim=2), dim=2)
