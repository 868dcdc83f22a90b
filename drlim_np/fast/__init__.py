"""The fast forms: each equals a plainer definition, as `loss` is, which imports none of them; tests hold it to that."""
