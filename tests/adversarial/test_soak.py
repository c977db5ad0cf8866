"""A short soak; `python -m tests.adversarial.soak --rounds 30` runs a longer one."""

import sys

import pytest

from tests.adversarial.soak import BEHAVIOURS, soak

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


async def test_tasks_files_and_memory_stay_flat_whatever_clients_do():
    told = await soak(2, seed=1)
    assert set(told["conversations"]) == {behaviour.__name__ for behaviour in BEHAVIOURS}
