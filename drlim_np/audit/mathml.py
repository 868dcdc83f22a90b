"""Formulas typeset by the browser: a little of TeX's notation, with Unicode for all signs, as MathML.

    D_W              a letter with a subscript; ^ for superscripts, braces around more than one sign
    \\frac{∂L}{∂W}    a fraction
    \\max             a name of several letters, upright
    \\text{ for }     words

Limits of a sum go below and above it.
"""

import re
from html import escape

from drlim_np.errors import require

TOKEN = re.compile(r"\\text\{[^}]*\}|\\[a-zA-Z]+|\d+(?:,\d{3})*(?:\.\d+)?|\S")
END = ""


def typeset(formula: str) -> str:
    """The formula as a <math> element, a block of its own."""
    tokens = [END, *reversed(TOKEN.findall(formula))]
    return f'<math display="block">{_row(tokens, END, formula)}</math>'


def _row(tokens: list[str], end: str, formula: str) -> str:
    """All elements up to the token `end`, each with its scripts. tokens: what is yet to be read, the next one last."""
    row = []
    while tokens[-1] != end:
        element, scripts = _element(tokens, formula), {}
        while tokens[-1] in ("_", "^"):
            mark = tokens.pop()
            scripts[mark] = _element(tokens, formula)
        row.append(_scripted(element, scripts))
    tokens.pop()
    return "".join(row)


def _element(tokens: list[str], formula: str) -> str:
    token = tokens.pop()
    require(token not in (END, "}"), f"{formula}: something is missing before a closing brace, or before the end")
    if token == "{":
        return f"<mrow>{_row(tokens, '}', formula)}</mrow>"
    if token == "\\frac":
        return f"<mfrac>{_element(tokens, formula)}{_element(tokens, formula)}</mfrac>"
    if token.startswith("\\text{"):
        return f"<mtext>{escape(token[6:-1]).replace(' ', '&nbsp;')}</mtext>"
    if token.startswith("\\") or token.isalpha() or token == "∂":
        return "<mi>" + token.lstrip("\\") + "</mi>"
    return f"<mn>{token}</mn>" if token[0].isdigit() else f"<mo>{escape(token)}</mo>"


def _scripted(element: str, scripts: dict[str, str]) -> str:
    below, above = ("under", "over") if element == "<mo>∑</mo>" else ("sub", "sup")
    name = f"m{below * ('_' in scripts)}{above * ('^' in scripts)}"
    return f"<{name}>{element}{scripts.get('_', '')}{scripts.get('^', '')}</{name}>" if scripts else element
