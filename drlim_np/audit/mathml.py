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
    tokens = [END, *reversed(TOKEN.findall(formula))]  # yet to be read, the next one last

    def row(end: str) -> str:
        """All elements up to the token `end`, each with its scripts."""
        found = ""
        while tokens[-1] != end:
            base, scripts = element(), {}
            while tokens[-1] in ("_", "^"):
                mark = tokens.pop()
                scripts[mark] = element()
            below, above = ("under", "over") if base == "<mo>∑</mo>" else ("sub", "sup")
            name = f"m{below * ('_' in scripts)}{above * ('^' in scripts)}"
            scripted = f"<{name}>{base}{scripts.get('_', '')}{scripts.get('^', '')}</{name}>"
            found += scripted if scripts else base
        tokens.pop()
        return found

    def element() -> str:
        token = tokens.pop()
        require(token not in (END, "}"), f"{formula}: something is missing before a closing brace, or before the end")
        if token == "{":
            return f"<mrow>{row('}')}</mrow>"
        if token == "\\frac":
            return f"<mfrac>{element()}{element()}</mfrac>"
        if token.startswith("\\text{"):
            return f"<mtext>{escape(token[6:-1]).replace(' ', '&nbsp;')}</mtext>"
        if token.startswith("\\") or token.isalpha() or token == "∂":
            return "<mi>" + token.lstrip("\\") + "</mi>"
        return f"<mn>{token}</mn>" if token[0].isdigit() else f"<mo>{escape(token)}</mo>"

    return f'<math display="block">{row(END)}</math>'
