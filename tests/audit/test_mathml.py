"""Formulas as MathML: what is written in a line of signs comes out as the tree it means."""

import pytest

from drlim_np.audit.mathml import typeset
from drlim_np.errors import InputError


@pytest.mark.parametrize(
    ("formula", "tree"),
    [
        ("F = −K X", "<mi>F</mi><mo>=</mo><mo>−</mo><mi>K</mi><mi>X</mi>"),
        ("D_W", "<msub><mi>D</mi><mi>W</mi></msub>"),
        ("D_W^2", "<msubsup><mi>D</mi><mi>W</mi><mn>2</mn></msubsup>"),
        ("D^2_W", "<msubsup><mi>D</mi><mi>W</mi><mn>2</mn></msubsup>"),
        ("x_{i j}", "<msub><mi>x</mi><mrow><mi>i</mi><mi>j</mi></mrow></msub>"),
        ("∑_i^P x", "<munderover><mo>∑</mo><mi>i</mi><mi>P</mi></munderover><mi>x</mi>"),
        ("∑_i x", "<munder><mo>∑</mo><mi>i</mi></munder><mi>x</mi>"),
        (r"\frac{∂L}{2}", "<mfrac><mrow><mi>∂</mi><mi>L</mi></mrow><mrow><mn>2</mn></mrow></mfrac>"),
        (r"\max(0, m)", "<mi>max</mi><mo>(</mo><mn>0</mn><mo>,</mo><mi>m</mi><mo>)</mo>"),
        (r"0 \text{ for } D < m", "<mn>0</mn><mtext>&nbsp;for&nbsp;</mtext><mi>D</mi><mo>&lt;</mo><mi>m</mi>"),
        ("30,000 · 2.5", "<mn>30,000</mn><mo>·</mo><mn>2.5</mn>"),
    ],
)
def test_a_formula_becomes_its_tree(formula, tree):
    assert typeset(formula) == f'<math display="block">{tree}</math>'


@pytest.mark.parametrize("formula", ["x_", "{x", "x}", r"\frac{1}", "x^}"])
def test_what_is_not_finished_is_refused_in_one_line(formula):
    with pytest.raises(InputError, match="something is missing") as caught:
        typeset(formula)
    assert "\n" not in str(caught.value)
