"""Voice detection with Silero v6, run for all conversations of the process at once.

Why there is a network of our own here (`network.py`): onnxruntime works through Silero's convolutions sample by
sample and costs 56 to 124 us for each frame of 32 ms, so that the detector alone took half of a core with 100
conversations. The same network as a handful of matrix products over all frames of all streams costs 18 to 60 us, and
needs no thread. That is what lets one core serve 200 conversations (`bench/README.md`, rows 6 and 10).

What it costs: about 100 lines of arithmetic that know the tensors of one model file, and a test that holds them to
onnxruntime's probabilities within 1e-4 on recorded speech. A file that is not the known one (by its hash) is run by
onnxruntime instead (`onnx_network.py`), at two to three times the cost, with a warning in the log.

When Silero v7 comes:

1. Nothing breaks: an installed package that brings it is run by onnxruntime, if its inputs and outputs have the same
   names.
2. Measure it as `docs/engines.md` 3 does: late onsets and ends, false alarms in noise. If it is not better, stay.
3. Write its layers out in `network.py` from the names of its tensors (`onnx_tensors.py` lists them), until
   `tests/providers/silero/test_network.py` holds; then put its hash and its package into `providers/weights.py`.
4. Run `python -m bench.load` and `python -m bench.backlog` before and after, on a quiet machine.

`detector.py` decides which frames run when, `jobs.py` prepares a batch. None of them decides what counts as speech:
that is `core/endpointing.py`.
"""
