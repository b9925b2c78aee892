"""Rendered labels against analytic truth, in float64 and with formulas of the test's own."""

from dataclasses import replace

import numpy as np
import pytest

from taskweave.data.generated.furnishing import draw_room
from taskweave.data.generated.looks import Look
from taskweave.data.generated.rendering import Rendering, render
from taskweave.data.generated.room import Body, Camera, Light, Panel, Room
from taskweave.data.generated.solids import Ball, Block, Cylinder, Solid

FLOOR, CEILING, WALL, DOOR, THING = range(5)
PLAIN = Look(
    "plain", "dull", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5), scale=1.0, offset=(0.0, 0.0, 0.0), direction=(1.0, 0.0, 0.0)
)
EYE = (2.0, 1.5, -0.5)


def room_with(*solids: Solid, panels: tuple[Panel, ...] = ()) -> Room:
    """4 m wide, 3 m high, 6 m deep; the camera looks straight at the front wall, which is 5.5 m away."""
    return Room(
        size=(4.0, 3.0, 6.0),
        looks=(PLAIN,) * 6,
        labels=(FLOOR, CEILING, WALL, WALL, WALL, WALL),
        bodies=tuple(Body(THING, i + 1, (solid,), PLAIN) for i, solid in enumerate(solids)),
        panels=panels,
        camera=Camera(EYE, (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, -1.0), focal=0.8),
        light=Light((1.0, 2.7, -2.0), (1.0, 1.0, 1.0), (3.0, 2.0, -3.0), fill=0.1, ambient=0.2),
        number=1,
    )


def directions(camera: Camera, size: tuple[int, int]) -> np.ndarray:
    """(H, W, 3) in the world, of depth 1."""
    row, column = np.mgrid[: size[0], : size[1]] + 0.5
    focal = camera.focal * max(size)
    u, v = (column - size[1] / 2) / focal, (size[0] / 2 - row) / focal
    right, up, forward = (np.array(axis) for axis in (camera.right, camera.up, camera.forward))
    return u[..., None] * right + v[..., None] * up + forward


def test_planes_of_an_empty_room() -> None:
    size = (60, 80)
    seen = render(room_with(), size)
    ray = directions(room_with().camera, size)
    to_front, to_floor = 5.5 / -ray[..., 2], np.where(ray[..., 1] < 0, -1.5 / np.minimum(ray[..., 1], -1e-9), np.inf)
    to_side = 2.0 / np.abs(ray[..., 0])
    to_ceiling = np.where(ray[..., 1] > 0, 1.5 / np.maximum(ray[..., 1], 1e-9), np.inf)
    depths = np.stack([to_floor, to_ceiling, to_side, to_front])
    np.testing.assert_allclose(seen.depth, depths.min(0), rtol=1e-6)
    assert seen.depth[30, 40] == pytest.approx(5.5, rel=1e-6)
    np.testing.assert_array_equal(seen.labels, np.array([FLOOR, CEILING, WALL, WALL])[depths.argmin(0)])
    which = depths.argmin(0)
    for face, normal in ((0, (0, 1, 0)), (1, (0, -1, 0)), (3, (0, 0, 1))):
        assert (which == face).any()
        np.testing.assert_allclose(seen.normals[:, which == face].T - np.array(normal), 0.0, atol=1e-7)
    left = (which == 2) & (ray[..., 0] < 0)
    np.testing.assert_allclose(seen.normals[:, left].T - np.array((1, 0, 0)), 0.0, atol=1e-7)


def test_ball_in_the_middle_of_the_view() -> None:
    size, center, radius = (81, 81), np.array((2.0, 1.5, -3.5)), 0.6
    seen = render(room_with(Ball(tuple(center), radius)), size)
    assert seen.depth[40, 40] == pytest.approx(3.0 - 0.6, abs=1e-5)
    np.testing.assert_allclose(seen.normals[:, 40, 40], (0.0, 0.0, 1.0), atol=1e-5)
    ray = directions(room_with().camera, size)
    angle = np.arccos(-ray[..., 2] / np.linalg.norm(ray, axis=-1))
    np.testing.assert_array_equal(seen.instances == 1, angle < np.arcsin(radius / 3.0))
    point = np.array(EYE) + seen.depth[..., None].astype(float) * ray
    expected = (point - center) / radius
    on = seen.instances == 1
    np.testing.assert_allclose(seen.normals[:, on].T, expected[on], atol=2e-3)


def test_panel_lies_in_its_wall_and_changes_neither_depth_nor_normals() -> None:
    size = (60, 80)
    panel = Panel(DOOR, 1, 4, (2.0, 1.0), (0.5, 1.0), (1.0, 0.0), rim=0.1, look=PLAIN, rim_look=PLAIN)
    bare, hung = render(room_with(), size), render(room_with(panels=(panel,)), size)
    np.testing.assert_array_equal(bare.depth, hung.depth)
    np.testing.assert_array_equal(bare.normals, hung.normals)
    point = np.array(EYE) + bare.depth[..., None].astype(float) * directions(room_with().camera, size)
    inside = (np.abs(point[..., 0] - 2.0) < 0.5) & (np.abs(point[..., 1] - 1.0) < 1.0) & (point[..., 2] < -5.999)
    np.testing.assert_array_equal(hung.instances == 1, inside)
    np.testing.assert_array_equal(hung.labels == DOOR, inside)


def signed_distance(solid: Solid, point: np.ndarray) -> np.ndarray:
    """Distance to the surface, negative inside; of cylinders and blocks a lower bound outside, exact in sign everywhere."""
    away = point - np.array(solid.center)
    if isinstance(solid, Ball):
        return np.linalg.norm(away, axis=-1) - solid.radius
    if isinstance(solid, Cylinder):
        return np.maximum(np.hypot(away[..., 0], away[..., 2]) - solid.radius, np.abs(away[..., 1]) - solid.half_height)
    assert isinstance(solid, Block)
    angle = np.arctan2(solid.turn[1], solid.turn[0])
    x = away[..., 0] * np.cos(angle) + away[..., 2] * np.sin(angle)
    z = away[..., 2] * np.cos(angle) - away[..., 0] * np.sin(angle)
    return np.abs(np.stack([x, away[..., 1], z], axis=-1)).__sub__(np.array(solid.half)).max(-1)


def distance_to_things(room: Room, point: np.ndarray) -> np.ndarray:
    """(number of solids, ...)"""
    return np.stack([signed_distance(solid, point) for body in room.bodies for solid in body.solids])


def air_to_walls(room: Room, point: np.ndarray) -> np.ndarray:
    width, height, depth = room.size
    x, y, z = np.moveaxis(point, -1, 0)
    return np.stack([x, width - x, y, height - y, z + depth, -z]).min(0)


def assert_first_surface(room: Room, seen: Rendering) -> None:
    """Every pixel's point lies on the surface its label names, and nothing solid lies before it."""
    ray = directions(room.camera, seen.depth.shape)
    eye, depth = np.array(room.camera.position), seen.depth[..., None].astype(float)
    point = eye + depth * ray
    things, walls = distance_to_things(room, point), air_to_walls(room, point)
    owner = np.array([body.number for body in room.bodies for _ in body.solids])
    for number in np.unique(owner):
        on = seen.instances == number
        assert np.abs(things[owner == number][:, on]).min(0, initial=1.0 if on.any() else 0.0).max(initial=0.0) < 2e-4
    on_room = ~np.isin(seen.instances, owner)
    assert np.abs(walls[on_room]).max() < 1e-5
    for share in np.linspace(0.02, 0.995, 60):
        before = eye + share * depth * ray
        assert distance_to_things(room, before).min() > -1e-4, f"something solid before the surface at {share} of its depth"


def assert_normals_are_gradients(room: Room, seen: Rendering) -> None:
    """Turned back into the world, normals are the slope of the distance to the surface."""
    axes = np.stack([room.camera.right, room.camera.up, -np.array(room.camera.forward)])
    world = np.einsum("kxy,kc->xyc", seen.normals.astype(float), axes)
    np.testing.assert_allclose(np.linalg.norm(world, axis=-1), 1.0, atol=1e-5)
    point = np.array(room.camera.position) + seen.depth[..., None].astype(float) * directions(room.camera, seen.depth.shape)

    def outside(at: np.ndarray) -> np.ndarray:
        return np.minimum(distance_to_things(room, at).min(0), air_to_walls(room, at))

    step = 1e-3
    slope = np.stack([outside(point + step * e) - outside(point - step * e) for e in np.eye(3)], axis=-1) / (2 * step)
    # Within a step of an edge the slope is a mixture: of a plane or ball it has length 1.
    smooth = np.abs(np.linalg.norm(slope, axis=-1) - 1.0) < 1e-3
    assert smooth.mean() > 0.9
    np.testing.assert_allclose(world[smooth], slope[smooth], atol=5e-3)


@pytest.mark.parametrize("index", range(6))
def test_random_rooms_show_the_first_surface(index: int) -> None:
    room, _ = draw_room(7, index)
    seen = render(room, (48, 64))
    assert_first_surface(room, seen)
    assert_normals_are_gradients(room, seen)


def test_the_checks_of_this_file_can_fail() -> None:
    room, _ = draw_room(7, 0)
    seen = render(room, (48, 64))
    nearer = Rendering(seen.image, seen.labels, seen.instances, depth=seen.depth * np.float32(0.99), normals=seen.normals)
    further = Rendering(seen.image, seen.labels, seen.instances, depth=seen.depth * np.float32(1.01), normals=seen.normals)
    flipped = Rendering(seen.image, seen.labels, seen.instances, depth=seen.depth, normals=seen.normals[[1, 0, 2]])
    for wrong in (nearer, further):
        with pytest.raises(AssertionError):
            assert_first_surface(room, wrong)
    with pytest.raises(AssertionError):
        assert_normals_are_gradients(room, flipped)


def test_camera_axes_are_a_right_handed_frame() -> None:
    for index in range(20):
        camera = draw_room(0, index)[0].camera
        axes = np.stack([camera.right, camera.up, -np.array(camera.forward)])
        np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
        assert np.linalg.det(axes) == pytest.approx(1.0)


def test_brightness_follows_the_stated_formula() -> None:
    """Lambert with falloff 5 / (1 + d^2) of lamp and fill light, ambient light, display curve, but for the grain."""
    seen = render(room_with(), (61, 81))
    for row, column, point, normal in (
        (30, 40, (2.0, 1.5, -6.0), (0.0, 0.0, 1.0)),
        (60, 40, (2.0, 0.0, -0.5 - 1.5 * 64.8 / 30), (0.0, 1.0, 0.0)),
        (30, 0, (0.0, 1.5, -0.5 - 2.0 * 64.8 / 40), (1.0, 0.0, 0.0)),
    ):
        assert seen.depth[row, column] == pytest.approx(-0.5 - point[2], rel=1e-5)
        light = 0.2 * (0.8 + 0.2 * normal[1])
        for lamp, strength in (((1.0, 2.7, -2.0), 1.0), ((3.0, 2.0, -3.0), 0.1)):
            away = np.array(lamp) - np.array(point)
            distance = np.linalg.norm(away)
            light += strength * 5.0 / (1.0 + distance**2) * max(float(away @ np.array(normal)) / distance, 0.0)
        expected = np.sqrt(1.5 * 0.5 * light / (0.5 * light + 0.5))
        assert expected < 0.97
        np.testing.assert_allclose(seen.image[:, row, column] / 255.0, expected, atol=0.03)


def test_things_throw_shadows_and_gloss_shines() -> None:
    ball = Ball((1.5, 0.6, -4.0), 0.3)  # the lamp throws its shadow to (1.6, 0, -4.6)
    with_ball = render(room_with(ball), (60, 80))
    without = render(room_with(), (60, 80))
    floor = (with_ball.labels == FLOOR) & (without.labels == FLOOR)
    darker = without.image.astype(int).sum(0) - with_ball.image.astype(int).sum(0)
    assert (darker[floor] > 60).any(), "the ball throws a shadow on the floor"
    room = room_with(ball)
    glossy = replace(room, bodies=(replace(room.bodies[0], look=replace(PLAIN, finish="glossy")),))
    on = with_ball.labels == THING
    shine = render(glossy, (60, 80)).image.astype(int)[:, on] - with_ball.image.astype(int)[:, on]
    assert shine.min() >= 0
    assert shine.max() > 10
