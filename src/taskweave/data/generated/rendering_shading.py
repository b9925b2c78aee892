"""Light on surfaces: Lambert with a point light and its shadows, a fill light, an ambient sky, and highlights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from taskweave.data.generated.rendering_room import Room
from taskweave.data.generated.rendering_solids import Array, Components, Point

_SHINE = 0.35


def shade(
    room: Room, point: Components, normal: Components, *, albedo: Array, gloss: Array, dark: NDArray[np.bool_]
) -> Array:
    """Display colour (3, N) in [0, 1].

    Linear light: albedo * (ambient + lambert * falloff of each light) + highlight; then 1.5 x / (x + 0.5) against burnt-out
    spots and a square root as the display curve.
    """
    light = room.light
    toward, distance = _toward(light.position, point)
    reach = (~dark) * (5.0 / (1.0 + distance * distance))
    direct = np.maximum(_dot(normal, toward), 0.0) * reach
    fill, far = _toward(light.fill_position, point)
    soft = np.maximum(_dot(normal, fill), 0.0) * (light.fill * 5.0 / (1.0 + far * far))
    even = light.ambient * (0.8 + 0.2 * normal[1]) + soft
    shine = _SHINE * gloss * reach * _highlight(room, point, normal, toward=toward)
    channels = []
    for value, tint in zip(albedo, light.colour, strict=True):
        linear = value * (direct * tint + even) + shine * tint
        channels.append(np.sqrt(1.5 * linear / (linear + 0.5)))
    colour: Array = np.clip(np.stack(channels), 0.0, 1.0)
    return colour


def _toward(target: Point, point: Components) -> tuple[Components, Array]:
    """Unit vectors from points to a target, and the distances."""
    x, y, z = (t - p for t, p in zip(target, point, strict=True))
    distance = np.sqrt(x * x + y * y + z * z)
    return (x / distance, y / distance, z / distance), distance


def _dot(a: Components, b: Components) -> Array:
    product: Array = a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
    return product


def _highlight(room: Room, point: Components, normal: Components, *, toward: Components) -> Array:
    """Blinn's half-vector term to the 32nd power, by squaring: a power function is not the same on every machine."""
    eye, _ = _toward(room.camera.position, point)
    half = (eye[0] + toward[0], eye[1] + toward[1], eye[2] + toward[2])
    cosine = np.maximum(_dot(normal, half), 0.0)
    square: Array = np.divide(cosine * cosine, np.maximum(_dot(half, half), np.float32(1e-9)))
    for _ in range(4):
        square = square * square
    return square
