"""Backprop through a Siamese network, taught.

    python -m drlim_np.teaching.lesson       the lesson, printed with its numbers
    python -m drlim_np.teaching.exercises    twelve mistakes to find, judged by the complex step

The wing may use everything of the paper and the audit's oracles; nothing uses it but run_all.py.
"""
