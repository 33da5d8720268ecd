"""Muon in fp32 against PyTorch's own, which orthogonalises in bf16."""

from __future__ import annotations

import pytest
import torch

from training.muon import Muon, orthogonalised


@pytest.mark.parametrize("shape", [(24, 24), (16, 48), (48, 16)])
def test_singular_values_come_near_one(shape: tuple[int, int]) -> None:
    torch.manual_seed(1)
    values = torch.linalg.svdvals(orthogonalised(torch.randn(3, *shape)))
    assert 0.3 < float(values.min()) <= float(values.max()) < 1.3


@pytest.mark.parametrize("shape", [(32, 32), (32, 64), (64, 32)])
def test_it_steps_as_pytorchs_does_up_to_the_rounding_of_bf16(shape: tuple[int, int]) -> None:
    torch.manual_seed(2)
    start = torch.randn(shape)
    ours, theirs = (torch.nn.Parameter(start.clone()) for _ in range(2))
    optimizers = (
        Muon([ours], lr=0.1, weight_decay=0.1),
        torch.optim.Muon([theirs], lr=0.1, weight_decay=0.1, momentum=0.95),
    )
    for _ in range(4):
        gradient = torch.randn(shape)
        for parameter, optimizer in zip((ours, theirs), optimizers, strict=True):
            parameter.grad = gradient.clone()
            optimizer.step()
    moved, expected = (ours.detach() - start).flatten(), (theirs.detach() - start).flatten()
    assert float(torch.cosine_similarity(moved, expected, dim=0)) > 0.999
    assert float(moved.norm() / expected.norm()) == pytest.approx(1.0, abs=0.02)


def test_a_matrix_without_a_gradient_stays() -> None:
    parameter = torch.nn.Parameter(torch.ones(4, 4))
    Muon([parameter], lr=0.1, weight_decay=0.5).step()
    assert torch.equal(parameter, torch.ones(4, 4))
