"""How a scene looks: shapes are drawn by their signed distance, with soft edges and shadows.

Shape suffixes: H height and W width in pixels, C red-green-blue.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sample.canvas import FPS, SIZE_PX, Image, Window, smooth_noise
from sample.silent_to_sound.distractor import Moth
from sample.silent_to_sound.materials import Material
from sample.silent_to_sound.texture_picture import texture_painter
from sample.silent_to_sound.textures import TextureScene
from sample.silent_to_sound.world import VIEW_HEIGHT_M, Body, Scene

__all__ = ["FPS", "SIZE_PX", "body_colour", "frames"]

PX_PER_M = 80.0
FLOOR_PX = VIEW_HEIGHT_M * PX_PER_M
"""Row of the floor's line under a body."""

_HORIZON_PX = 88.0
_HANDLE_END_PX = (190.0, -20.0)
_MALLET_HEAD_PX = 7.0
_SQUASH_S = 0.07
_NOISE_LEVEL = 1.6
_LIGHTNESS = (0.92, 1.08)
"""Of a body, over that of its material."""
_TINT = 5.0
"""Red, green and blue of a body are off by so much, at most."""
_LIGHT = np.array([-0.5, -0.65, 0.57], dtype=np.float32)
_THREAD = (60.0, 56.0, 54.0)
_HANDLE = (112.0, 74.0, 44.0)
_HEAD = (58.0, 60.0, 70.0)
_ROOMS = (  # wall and floor
    ((176.0, 172.0, 162.0), (122.0, 108.0, 94.0)),
    ((158.0, 166.0, 172.0), (104.0, 108.0, 110.0)),
    ((170.0, 158.0, 158.0), (128.0, 120.0, 112.0)),
)


def frames(scene: Scene | TextureScene) -> Iterator[NDArray[np.uint8]]:
    """Draw a scene frame by frame; frame n shows the instant n / FPS.

    Yields:
        uint8 (SIZE_PX, SIZE_PX, 3), red, green, blue.
    """
    rng = np.random.default_rng([*scene.seed, 2])
    painter = _Looks(scene, rng) if isinstance(scene, Scene) else texture_painter(scene, rng)
    moth = Moth(np.random.default_rng([*scene.seed, 3]), scene.duration_s)
    noise_HW = rng.normal(0, _NOISE_LEVEL, (2 * SIZE_PX, 2 * SIZE_PX)).astype(np.float32)
    noise_HWC = np.repeat(noise_HW[..., None], 3, axis=2)  # adding it in one piece is faster
    flicker_hz, phase = rng.uniform(0.1, 0.5), rng.uniform(0, 2 * np.pi)
    for n in range(round(scene.duration_s * FPS)):
        time_s = n / FPS
        image_HWC = painter.background.copy()
        painter.draw(image_HWC, time_s)
        moth.draw(image_HWC, time_s)
        image_HWC *= np.float32(1 + 0.03 * np.sin(2 * np.pi * flicker_hz * time_s + phase))
        top, left = rng.integers(SIZE_PX, size=2)
        image_HWC += noise_HWC[top : top + SIZE_PX, left : left + SIZE_PX]
        yield np.clip(image_HWC, 0, 255, out=image_HWC).astype(np.uint8)


def body_colour(material: Material, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw the colour of a source's bodies: red, green, blue in 0..255.

    A few sources of a material are learned from, so the range is small enough for them to cover.
    """
    lightness, tint = rng.uniform(*_LIGHTNESS), rng.uniform(-_TINT, _TINT, 3)
    return np.clip(lightness * np.array(material.colour) + tint, 0, 255)


class _Looks:
    """Draws the bodies and the mallet of one scene at any time."""

    def __init__(self, scene: Scene, rng: np.random.Generator) -> None:
        self.scene = scene
        self.background = _background(rng)
        self.enters_s = [body.enter_s for body in scene.bodies]
        self.hits_s = [hit.time_s for hit in scene.impacts]
        self.colour = body_colour(scene.material, rng)
        self.texture_HW = _texture(scene.material, rng)

    def draw(self, image_HWC: Image, time_s: float) -> None:
        """Draw what is in view at this time."""
        index = int(np.searchsorted(self.enters_s, time_s, side="right")) - 1
        if index < 0 or time_s > self.scene.bodies[index].leave_s:
            return
        body = self.scene.bodies[index]
        clearance_px = float(self.scene.height.at(time_s)) * PX_PER_M
        self._draw_shadow(image_HWC, body, clearance_px)
        self._draw_body(image_HWC, body, clearance_px, time_s)
        self._draw_mallet(image_HWC, body, float(self.scene.mallet.at(time_s)) * PX_PER_M)

    def _squash(self, body: Body, time_s: float) -> float:
        last = int(np.searchsorted(self.hits_s, time_s, side="right")) - 1
        if last < 0 or self.hits_s[last] < body.enter_s:
            return 0.0
        hit = self.scene.impacts[last]
        fading = np.exp(-(time_s - hit.time_s) / _SQUASH_S)
        return 0.45 * self.scene.material.softness * min(1.0, hit.speed_m_s / 4) * float(fading)

    def _draw_shadow(self, image_HWC: Image, body: Body, clearance_px: float) -> None:
        x, radius = body.x_m * PX_PER_M, body.radius_m * PX_PER_M
        wide = radius * 1.25 + 0.12 * clearance_px
        window = Window.around(x + 0.1 * clearance_px, FLOOR_PX, 1.8 * wide, 0.6 * wide)
        away_HW = (window.x_W / wide) ** 2 + (window.y_H1 / (0.3 * wide)) ** 2
        dark = 0.6 * radius / (radius + 0.5 * clearance_px)
        window.blend(image_HWC, np.float32(dark) * np.exp(-1.5 * away_HW), (14.0, 12.0, 18.0))

    def _draw_body(self, image_HWC: Image, body: Body, clearance_px: float, time_s: float) -> None:
        material, radius = self.scene.material, body.radius_m * PX_PER_M
        squash = self._squash(body, time_s)
        wide, high = radius * (1 + 0.6 * squash), radius * (1 - squash)
        x, y = body.x_m * PX_PER_M, FLOOR_PX - clearance_px - high
        if not body.release_s <= time_s < body.lift_s:
            _draw_thread(image_HWC, x, y - high)
        window = Window.around(x, y, 1.3 * wide + 2, 1.3 * high + 2)
        u_W, v_H1 = window.x_W / np.float32(wide), window.y_H1 / np.float32(high)
        away_HW = _distance(material, u_W, v_H1)
        cover_HW = np.clip(0.5 - (away_HW - 1) * radius, 0, 1)
        shade_HW, shine_HW = _shading(material, u_W, v_H1)
        rows = np.clip((v_H1[:, 0] + 1.5) * 21, 0, 63).astype(int)
        columns = np.clip((u_W + 1.5) * 21, 0, 63).astype(int)
        shade_HW = shade_HW * self.texture_HW[rows[:, None], columns]
        paint_HWC = shade_HW[..., None] * self.colour.astype(np.float32)
        paint_HWC += shine_HW[..., None] * (255 - paint_HWC)
        if material.opacity < 1:  # clear in the middle, bright at the rim
            cover_HW = cover_HW * np.clip(material.opacity + 0.5 * away_HW**4 + shine_HW, 0, 1)
        window.blend(image_HWC, cover_HW, paint_HWC)

    def _draw_mallet(self, image_HWC: Image, body: Body, clearance_px: float) -> None:
        half = _MALLET_HEAD_PX
        x = body.x_m * PX_PER_M
        y = FLOOR_PX - 2 * body.radius_m * PX_PER_M - clearance_px - half
        if y < -2 * half:
            return
        _draw_handle(image_HWC, x, y)
        window = Window.around(x, y, 1.4 * half + 2, half + 2)
        away_HW = _box(window.x_W, window.y_H1, (1.4 * half, half), 3.0)
        paint_HWC = np.clip(1.25 - 0.5 * window.y_H1 / half, 0.6, 1.9) * np.ones_like(window.x_W)
        window.blend(
            image_HWC,
            np.clip(0.5 - away_HW, 0, 1),
            paint_HWC[..., None] * np.array(_HEAD, np.float32),
        )


def _draw_thread(image_HWC: Image, x: float, end_y: float) -> None:
    if end_y <= 0:
        return
    window = Window.around(x, end_y / 2, 2, end_y / 2)
    cover_HW = np.clip(1.1 - np.abs(window.x_W), 0, 1) * np.ones_like(window.y_H1)
    window.blend(image_HWC, np.float32(0.7) * cover_HW, _THREAD)


def _draw_handle(image_HWC: Image, x: float, y: float) -> None:
    along = np.array([_HANDLE_END_PX[0] - x, _HANDLE_END_PX[1] - y], dtype=np.float32)
    length = float(np.hypot(*along))
    window = Window.around(x + along[0] / 2, y + along[1] / 2, along[0] / 2, abs(along[1]) / 2 + 3)
    u, v = along / length
    across_HW = (window.x_W + along[0] / 2) * v - (window.y_H1 + along[1] / 2) * u
    window.blend(image_HWC, np.clip(2.2 - np.abs(across_HW), 0, 1), _HANDLE)


def _distance(material: Material, u_W: Image, v_H1: Image) -> Image:
    """Distance from the middle, (H, W); 1 is the body's outline."""
    if material.shape == "block":
        return 1 + _box(u_W, v_H1, (1.0, 1.0), 0.25)
    away_HW = np.sqrt(u_W**2 + v_H1**2)
    if material.shape == "boulder":
        angle_HW = np.arctan2(v_H1, u_W)
        bumps_HW = 0.06 * np.cos(3 * angle_HW + 0.8) + 0.05 * np.cos(5 * angle_HW + 2.1)
        return away_HW * (1 + bumps_HW + 0.08 * np.cos(2 * angle_HW + np.pi))
    return away_HW


def _box(x_W: Image, y_H1: Image, half: tuple[float, float], corner: float) -> Image:
    """Signed distance to a box with round corners, (H, W)."""
    across_W = np.abs(x_W) - np.float32(half[0] - corner)
    down_H1 = np.abs(y_H1) - np.float32(half[1] - corner)
    outside_HW = np.sqrt(np.maximum(across_W, 0) ** 2 + np.maximum(down_H1, 0) ** 2)
    return outside_HW + np.minimum(np.maximum(across_W, down_H1), 0) - np.float32(corner)


def _shading(material: Material, u_W: Image, v_H1: Image) -> tuple[Image, Image]:
    """How light falls on a body, and where it glints: both (H, W)."""
    if material.shape == "block":
        shade_HW = 1.08 - 0.14 * u_W - 0.24 * v_H1
    else:
        forward_HW = np.sqrt(np.maximum(0, 1 - u_W**2 - v_H1**2))
        lit_HW = _LIGHT[0] * u_W + _LIGHT[1] * v_H1 + _LIGHT[2] * forward_HW
        shade_HW = 0.55 + 0.65 * np.maximum(0, lit_HW)
    glint_HW = np.exp(-14 * ((u_W + 0.36) ** 2 + (v_H1 + 0.42) ** 2))
    return shade_HW, np.float32(material.gloss) * glint_HW


def _texture(material: Material, rng: np.random.Generator) -> Image:
    """What a body's surface is like, float32 (64, 64) around 1."""
    y_H1, x_W = np.arange(64)[:, None] / 21, np.arange(64) / 21
    if material.name == "wood":
        grain_HW = np.sin(14 * y_H1 + 1.5 * np.sin(2.5 * x_W) + rng.uniform(0, 6))
        return (1 + 0.13 * grain_HW).astype(np.float32)
    if material.name == "stone":
        coarse_HW = np.kron(rng.normal(1, 0.12, (22, 22)), np.ones((3, 3)))
        return coarse_HW[:64, :64].astype(np.float32)
    if material.name == "rubber":
        return np.where(np.abs(x_W - 1.5 + 0 * y_H1) < 0.14, 1.7, 1.0).astype(np.float32)
    return np.ones((64, 64), dtype=np.float32)


def _background(rng: np.random.Generator) -> Image:
    """A wall and a floor, float32 (SIZE_PX, SIZE_PX, 3): one of a few rooms, lit anew."""
    wall, floor = _ROOMS[rng.integers(len(_ROOMS))]
    light = rng.uniform(0.95, 1.05) * rng.uniform(0.99, 1.01, 3)
    lamp_x = rng.uniform(-0.3, 0.3)
    x_W = np.arange(SIZE_PX) / SIZE_PX - 0.5
    y_H1 = np.arange(SIZE_PX)[:, None] + 0.5
    glow_HW = 1.08 - 0.35 * ((x_W - lamp_x) ** 2 + (y_H1 / SIZE_PX - 0.2) ** 2)
    depth_H1 = np.clip((y_H1 - _HORIZON_PX) / (SIZE_PX - _HORIZON_PX), 0, 1)
    is_floor_H1 = np.clip(y_H1 - _HORIZON_PX + 0.5, 0, 1)
    skirting_H1 = 1 - 0.35 * np.exp(-(((y_H1 - _HORIZON_PX) / 1.3) ** 2))
    stains_HW = 1 + 0.03 * smooth_noise(rng, 7)
    planks_HW = 1 + 0.04 * np.sin(rng.uniform(25, 50) * x_W / (0.5 + depth_H1))
    wall_HWC = (glow_HW * stains_HW)[..., None] * wall
    floor_HWC = ((0.85 + 0.25 * depth_H1) * planks_HW * stains_HW)[..., None] * floor
    mixed_HWC = wall_HWC + is_floor_H1[..., None] * (floor_HWC - wall_HWC)
    return (mixed_HWC * skirting_H1[..., None] * light).astype(np.float32)
