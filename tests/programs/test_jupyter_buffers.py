"""Binary buffers of Jupyter's comms, which ipykernel takes uncopied and uses as buffers."""

from __future__ import annotations

import pytest
from tests.programs.launching import MIXES, SCRIPTS
from tests.programs.test_jupyter import jupyter_variables, kernel_name


@pytest.mark.parametrize(("front", "kernel"), sorted({MIXES[0], MIXES[-1]}))
def test_comm_with_buffers_is_answered_with_buffers(stage, front, kernel):
    """Buffers of nothing, some bytes, and a megabyte reach the kernel, and come back."""
    name = kernel_name(stage, front, kernel)
    facts = stage.start(front, SCRIPTS / "jupyter_buffers.py", name, **jupyter_variables(stage)).check()
    assert facts == {"sizes": [0, 3, 102_400, 1_024_000], "reversed": True}
    stage.wait_until_empty()
