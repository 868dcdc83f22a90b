"""Backprop through a Siamese network, taught.

    python -m drlim_np.teaching.lesson       the lesson, printed with its numbers; with --notebook DIR for Jupyter
    python -m drlim_np.teaching.exercises    twelve mistakes to find, judged by the complex step

`pages` and `laboratories` make the pages. Imports the paper, the audit and files; imported by runs only.
"""
