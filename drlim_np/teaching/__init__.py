"""Backprop through a Siamese network, taught.

    python -m drlim_np.teaching.lesson       the lesson, printed with its numbers
    python -m drlim_np.teaching.lesson --notebook DIR
                                             the same as a notebook for Jupyter, with the exercises
    python -m drlim_np.teaching.exercises    twelve mistakes to find, judged by the complex step

`pages.lesson_page` is the lesson with drawings and the shape of every line, `pages.paper_page` the source of the
paper's algorithm next to its equations, `map_page.map_page` the map laboratory of two trained networks.

Imports the paper, the audit and files; imported by runs only.
"""
