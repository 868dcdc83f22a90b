"""Backpropagation through a Siamese network, taught: `python -m drlim_np.teaching.lesson` prints the lesson.

It may use everything of the paper and the audit's oracles; nothing uses it.
"""
