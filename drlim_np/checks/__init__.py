"""The checks of input, each written once; a public function checks before it computes, and its docstring leaves it out.

What is refused, here and in the whole package, raises InputError in one line that names the culprit and the remedy.
"""
