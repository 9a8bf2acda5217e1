"""One frame at many points: the same as the decoder itself, whatever else is asked for."""

import subprocess
import sys
import textwrap

import pytest
import torch

from cytoform.representations.global_code.decoder import Decoder
from cytoform.representations.global_code.evaluator import CPU_CHUNK, FrameEvaluator
from cytoform.representations.rotation import to_matrix


def decoder(activation: str) -> Decoder:
    made = Decoder(width=24, depth=4, code_dim=5, code_layers=(1, 3), activation=activation, omega=12.0, seed=3)
    return made.requires_grad_(False)


@pytest.mark.parametrize("activation", ["sine", "relu"])
@pytest.mark.parametrize("n", [0, 1, 7, CPU_CHUNK, 3 * CPU_CHUNK + 11])
def test_same_as_the_decoder(activation: str, n: int) -> None:
    model, code = decoder(activation), torch.randn(5, generator=torch.Generator().manual_seed(0))
    points = torch.rand(n, 3, generator=torch.Generator().manual_seed(1)) * 2 - 1
    expected = model(points[None], model.frame_biases(code[None], torch.full((1,), 0.3)))[0]
    torch.testing.assert_close(FrameEvaluator(model, code, 0.3)(points), expected, atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize("activation", ["sine", "relu"])
def test_a_rotation_turns_the_points(activation: str) -> None:
    model, code = decoder(activation), torch.ones(5)
    points = torch.rand(300, 3, generator=torch.Generator().manual_seed(1)) * 2 - 1
    rotation = to_matrix(torch.tensor([[0.1, -0.7, 0.3, 0.5]]))[0]
    turned, plain = FrameEvaluator(model, code, 0.3, rotation=rotation), FrameEvaluator(model, code, 0.3)
    torch.testing.assert_close(turned(points), plain(points @ rotation.T), atol=2e-6, rtol=1e-5)
    assert torch.equal(FrameEvaluator(model, code, 0.3, rotation=torch.eye(3))(points), plain(points))


def test_a_distance_does_not_depend_on_which_other_points_are_asked_for() -> None:
    """To the last bit: or voxels at the surface could differ between the dense way and the narrow band."""
    evaluate = FrameEvaluator(decoder("sine"), torch.ones(5), -0.5)
    points = torch.rand(5000, 3, generator=torch.Generator().manual_seed(2)) * 2 - 1
    together = evaluate(points)
    order = torch.randperm(5000, generator=torch.Generator().manual_seed(3))
    assert torch.equal(evaluate(points[order]), together[order])
    for n in (1, 3, 100, 1500):
        assert torch.equal(evaluate(points[-n:]), together[-n:])


def test_threads_give_the_same_bits_and_leave_the_number_of_threads_alone() -> None:
    """In a process of its own, as the tests run on one thread."""
    code = textwrap.dedent("""
        import torch
        from cytoform.representations.global_code.decoder import Decoder
        from cytoform.representations.global_code.evaluator import FrameEvaluator
        torch.set_num_threads(3)
        model = Decoder(width=24, depth=4, code_dim=5, code_layers=(1, 3), activation="sine", omega=12.0, seed=3)
        points = torch.rand(9000, 3, generator=torch.Generator().manual_seed(2)) * 2 - 1
        evaluate = FrameEvaluator(model, torch.ones(5), -0.5)
        first = evaluate(points)
        assert all(torch.equal(evaluate(points), first) for _ in range(20))
        assert torch.equal(torch.cat([evaluate(part) for part in points.split(500)]), first)
        assert torch.get_num_threads() == 3
        print("same")
    """)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "same\n", done.stderr
