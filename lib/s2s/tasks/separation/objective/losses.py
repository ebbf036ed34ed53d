"""What separators are to make small.

Legend: B any leading axes, N samples, K voices by sound alone, S faces, P permutations.
"""

from itertools import permutations

import torch

__all__ = ["blind_loss", "choice_loss", "si_sdr_db", "voice_loss"]

_BEST_DB = 30.0
"""What is better than this is as good: no mixture is worth more than the others."""
_SILENCE = 1e-3
"""A voice with a smaller share of the mixture's energy is not heard."""
_LEAST = 1e-8


def si_sdr_db(found_BN: torch.Tensor, true_BN: torch.Tensor) -> torch.Tensor:
    """Scale-invariant signal-to-distortion ratio, dB, (B,).

    Le Roux et al. 2019, "SDR - Half-baked or Well Done?", equation 4; the mean of neither signal is
    taken off.
    """
    power = true_BN.square().sum(dim=-1, keepdim=True) + _LEAST
    scale = (found_BN * true_BN).sum(dim=-1, keepdim=True) / power
    target_BN = scale * true_BN
    noise_BN = found_BN - target_BN
    return _db(target_BN.square().sum(dim=-1) + _LEAST) - _db(noise_BN.square().sum(-1) + _LEAST)


def voice_loss(
    found_BN: torch.Tensor, true_BN: torch.Tensor, mixture_BN: torch.Tensor
) -> torch.Tensor:
    """How far voices are from the true ones, dB, (B,).

    Of a voice that is heard, minus the mean of its scale-invariant and its plain ratio to what is
    wrong with it, both capped at 30 dB: the latter makes it as loud as it is. Of a silent one, the
    energy of what was found in dB of the mixture's, down to -30 dB.
    """
    whole = mixture_BN.square().sum(dim=-1) + _LEAST
    power = true_BN.square().sum(dim=-1)
    wrong = (found_BN - true_BN).square().sum(dim=-1)
    # The cap is a floor under the noise: 30 dB below the voice.
    floor = 10 ** (-_BEST_DB / 10)
    plain = _db((wrong + floor * power + _LEAST) / (power + _LEAST))
    scale = (found_BN * true_BN).sum(dim=-1) / (power + _LEAST)
    target = scale.square() * power
    rest = (found_BN - scale[..., None] * true_BN).square().sum(dim=-1)
    scale_free = _db((rest + floor * target + _LEAST) / (target + _LEAST))
    left = _db((found_BN.square().sum(dim=-1) + floor * whole) / whole)
    return torch.where(power > _SILENCE * whole, 0.5 * (plain + scale_free), left)


def blind_loss(
    heard_BKN: torch.Tensor, voices_BSN: torch.Tensor, mixture_BN: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Loss of voices in any order, by the order that fits best, and that order.

    Permutation-invariant training (Kolbaek et al. 2017, "Multitalker Speech Separation with
    Utterance-Level Permutation Invariant Training", section III). Voices beyond those of the faces
    are to be silent.

    Args:
        heard_BKN: what was found.
        voices_BSN: every face's voice; no more faces than voices.
        mixture_BN: what was heard.

    Returns:
        the loss (B,), and which voice is each face's, (B, S).
    """
    n_voices, n_faces = heard_BKN.shape[1], voices_BSN.shape[1]
    missing = n_voices - n_faces
    wanted_BKN = torch.nn.functional.pad(voices_BSN, (0, 0, 0, missing))
    pairs_BKK = voice_loss(heard_BKN[:, :, None], wanted_BKN[:, None], mixture_BN[:, None, None])
    orders_PK = torch.tensor(list(permutations(range(n_voices))), device=heard_BKN.device)
    places_K = torch.arange(n_voices, device=heard_BKN.device)
    losses_BP = pairs_BKK[:, orders_PK, places_K].mean(dim=-1)
    best_B = losses_BP.argmin(dim=1)
    loss_B = losses_BP.gather(1, best_B[:, None])[:, 0]
    return loss_B, orders_PK[best_B, :n_faces]


def choice_loss(
    choice_BSK: torch.Tensor, order_BS: torch.Tensor, is_heard_BS: torch.Tensor
) -> torch.Tensor:
    """Cross entropy of which voice each face chose, nats, (B,).

    Args:
        choice_BSK: logits of voices, and last of none.
        order_BS: which voice is each face's.
        is_heard_BS: which faces say anything: the others are to choose none.
    """
    nothing = choice_BSK.shape[-1] - 1
    right_BS = torch.where(is_heard_BS, order_BS, nothing)
    chances = choice_BSK.log_softmax(dim=-1)
    return -chances.gather(-1, right_BS[..., None])[..., 0].mean(dim=-1)


def _db(ratio: torch.Tensor) -> torch.Tensor:
    return 10 * torch.log10(ratio)
