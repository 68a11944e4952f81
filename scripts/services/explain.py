"""What the parts of a condition are that does not hold: for messages of tests that waited in vain."""
import ast
import linecache


def shortly(value, most=500):
    """Its text, or both ends of it."""
    text = str(value) if isinstance(value, AssertionError) else repr(value)
    return text if len(text) <= most else f"{text[:most // 2]} ... {text[-most // 2:]}"


def _body(code):
    """The expression of a lambda as a tree; None where Python does not tell its place."""
    spans = [p for p in getattr(code, "co_positions", tuple)() if None not in p and p[:2] != p[2:] and p[2] < p[3]]
    if code.co_name != "<lambda>" or not spans:
        return None
    (first, start), (last, end) = min((p[0], p[2]) for p in spans), max((p[1], p[3]) for p in spans)
    lines = [linecache.getline(code.co_filename, n).encode() for n in range(first, last + 1)]
    lines[-1] = lines[-1][:end]  # places count bytes
    lines[0] = lines[0][start:]
    return ast.parse(b"(" + b"".join(lines) + b")", mode="eval").body


def _comparisons(node):
    if isinstance(node, ast.Compare):
        return [node]
    return [c for value in node.values for c in _comparisons(value)] if isinstance(node, ast.BoolOp) else []


def parts(probe):
    """"x == 1: 0 and 1" for each comparison of a lambda, asked anew; "" when there is none."""
    told = []
    try:
        code = probe.__code__
        names = dict(zip(code.co_varnames, probe.__defaults__ or ()))
        names.update(zip(code.co_freevars, (cell.cell_contents for cell in probe.__closure__ or ())))
        everything = {**probe.__globals__, **names}
        for node in _comparisons(_body(code)):
            sides = [eval(compile(ast.Expression(side), "probe", "eval"), everything)
                     for side in (node.left, *node.comparators)]
            told.append(f"{shortly(ast.unparse(node), 200)}: {' and '.join(map(shortly, sides))}")
    except Exception as e:  # it is only there to tell more
        told.append(f"no more to be told: {e!r}")
    return "; ".join(told)
