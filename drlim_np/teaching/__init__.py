"""Backprop through a Siamese network, taught.

    python -m drlim_np.teaching.lesson       the lesson, printed with its numbers
    python -m drlim_np.teaching.exercises    twelve mistakes to find, judged by the complex step
    python -m drlim_np.teaching.pages OUT    the lesson as a page, with drawings and the shape of every line

`map_page.map_page` makes the map laboratory of two trained networks, `pages.paper_page` sets an algorithm's source
beside the paper's equations.

The wing may use everything of the paper, the audit's oracles, and keep to write a page; nothing uses it but run_all.py.
"""
