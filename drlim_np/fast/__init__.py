"""The fast forms: each equals a plainer definition, and tests hold it to that.

`layers`, `siamese`, `objective`, `neighbours` and `graph` import their fast forms from here. `loss` is the plain
definition and does not import this subpackage. Nothing here knows training, data or figures.
"""
