"""Strict export, without the part of its time that nobody needs."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch._dynamo import guards


def strictly_exported(net: nn.Module, x: Any) -> nn.Module:
    """The module that ``torch.export.export(..., strict=True)`` makes of `net`, called with `x`.

    The export ends with guards on every size of every weight, which are built for their errors and then thrown away. Most
    of its time goes into looking for common parts in their code, to make it shorter; here they are left as they are.
    """
    with pytest.MonkeyPatch.context() as patch:
        if hasattr(guards, "PyExprCSEPass"):
            patch.setattr(guards.PyExprCSEPass, "count", lambda self, expressions: None)
        return torch.export.export(net, (x,), strict=True).module()
