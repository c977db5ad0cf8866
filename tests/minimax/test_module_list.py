"""The docstring of `realtime.minimax` says what each of its modules is for."""

import pkgutil
import re

import realtime.minimax


def test_the_list_has_every_module_once():
    listed, _, _ = realtime.minimax.__doc__.split("The modules, by what they are for:")[1].partition("`x.py`")
    names = [name for line in listed.splitlines() for name in re.findall(r"\w+", line[24:])]
    assert sorted(names) == sorted(module.name for module in pkgutil.iter_modules(realtime.minimax.__path__))
