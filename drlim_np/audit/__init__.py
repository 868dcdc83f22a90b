"""The mathematics held against oracles that know nothing of backpropagation; `python -m drlim_np.audit` prints it.

It may use all of the paper's modules; nothing but `run_all.py`, the lesson and the tests uses it.
"""
