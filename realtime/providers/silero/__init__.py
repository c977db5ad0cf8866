"""Voice detection with Silero v6, run for all conversations of the process at once.

Why there is a network of our own here (`network.py`): onnxruntime works through Silero's convolutions sample by
sample and costs 56 to 124 us for each frame of 32 ms, so that the detector alone took half of a core with 100
conversations. The same network as a handful of matrix products over all frames of all streams costs 18 to 60 us, and
needs no thread. That is what lets one core serve 200 conversations (`bench/README.md`, rows 6 and 10). A backlog of one
stream goes through the detector at 280 to 600 times real time, and through the whole server at 150 to 260 times.

What it costs: about 300 lines (`network.py`, `onnx_tensors.py`) that know the tensors of one model file, and a test
that holds them to onnxruntime's probabilities within 1e-4 on recorded speech. A file that is not the known one (by its
hash) is run by onnxruntime instead (`onnx_network.py`), at two to three times the cost, with a warning in the log.

When Silero v7 comes:

1. Nothing breaks: an installed package that brings it is run by onnxruntime, if its inputs are called `input`, `state`
   and `sr` and its state has the same shape; otherwise the server says at start what to install. Look up whether it
   still takes frames of 512 samples with 64 of context: that is not checked.
2. Measure it as `docs/engines.md` 3 does: late onsets and ends, false alarms in noise; and `python -m bench.turn_end`
   with both models. If it is not better, stay.
3. Compare the names and shapes of its tensors (`float_tensors` in `onnx_tensors.py`). If they are the same, put its
   hash and its package into `providers/weights.py` and `pyproject.toml`. If not, first change `SileroNet` until
   `tests/providers/silero/test_network.py` holds.
4. Run `python -m bench.load` and `python -m bench.backlog` before and after, on a quiet machine.

`detector.py` decides which frames run when, `jobs.py` runs them. None of them decides what counts as speech: that is
`core/endpointing.py`.
"""
