"""The checks of input, each written once.

What is refused, here and in the whole package, raises InputError in one line that names the culprit and the remedy.
Public functions check their arguments before they compute, so their docstrings do not say it again. Every other
subpackage may import this one; it imports `errors`, `backend` and `tree` alone.
"""
