"""Prints the matrix, tells what is not as listed, and writes docs/reference/delta.md."""
import cases
import made_by_rs
from gaps import GAPS, gap_of

# Cells of a case, in the order of their columns, with what stands above them.
CELLS = {
    "here writes": "made", "here reads its own": "read", "Spark reads ours": "S reads", "rs reads ours": "R reads", "history of ours": "history",
    "travel in ours": "travel", "feed of ours": "feed", "rs feed of ours": "R feed", "Spark keeps our rules": "S rules", "Spark writes ours": "S writes", "here changes its own": "we write",
    "rs writes ours": "R writes", "here reads": "we read", "rs reads Spark's": "R reads", "history of Spark's": "history", "travel in Spark's": "travel",
    "feed of Spark's": "feed", "rs feed of Spark's": "R feed", "here keeps rules": "rules", "here changes": "we write", "rs writes Spark's": "R writes",
    "same outcome": "same",
}
RS_CELLS = {"rs: writes": "made", "rs: here reads": "we read", "rs: feed": "feed", "rs: here changes": "we write", "rs: rs writes on": "R writes"}


def surprises(results):
    """What is not as gaps.py lists it."""
    out = []
    for (case, cell), got in results.items():
        gap = gap_of(case, cell)
        if got is None and gap:
            out.append(f"{case}: {cell}: works, but is listed as a gap: {gap.reason}")
        elif got is not None and (not gap or gap.says not in got):
            out.append(f"{case}: {cell}: {got}")
    return out


def show(results):
    """The matrix as text, gaps by number."""
    for keys, heads in ((cases.CASES, CELLS), (made_by_rs.MAKERS, RS_CELLS)):
        names = [getattr(k, "key", k) for k in keys]
        used = [c for c in heads if any((n, c) in results for n in names)]
        print("\n" + " " * 18 + " ".join(f"{heads[c]:>8}" for c in used))
        for n in names:
            if any((n, c) in results for c in used):
                print(f"{n:18}" + " ".join(f"{_mark(results, n, c):>8}" for c in used))
    print("\nmade to same: this project's table up to the first R writes, then Spark's; below delta-rs' own. S is Spark, R is delta-rs.")
    for i, g in enumerate(GAPS):
        print(f"[{i + 1}] {g.reason}")


def _mark(results, case, cell):
    if (case, cell) not in results:
        return "-"
    if results[case, cell] is None:
        return "ok"
    gap = gap_of(case, cell)
    return f"[{GAPS.index(gap) + 1}]" if gap else "FAILS"


# Columns of the reference and the cells that each stands on.
REFERENCE = {
    "here reads": ("here reads", "here reads its own"), "here writes": ("here writes", "here changes"),
    "Spark reads": ("Spark reads ours",), "Spark writes": ("Spark writes ours",),
    "delta-rs reads": ("rs reads ours", "rs reads Spark's"), "delta-rs writes": ("rs writes ours", "rs writes Spark's"),
}

HEAD = """# Delta Lake: what is read and written

Each line is made by statements here and, the same ones, in Spark 4.2 with delta-spark 4.4; then the other and deltalake 1.6 (delta-rs) read the rows,
append, UPDATE, DELETE, MERGE, OPTIMIZE and write a checkpoint, and all three must give the same rows again. `make interop` runs it and fails
where an answer is not the one below; `interop/delta/cases.py` has the statements.

"here reads" is a table of Spark's, "here writes" a new table and changes to Spark's; the columns of Spark and delta-rs are what they do with tables made here
(delta-rs also with Spark's). Numbers are gaps, named below; "–" is not reached.

"""


def reference():
    """The text of docs/reference/delta.md: what gaps.py expects."""
    out = [HEAD + "| feature | " + " | ".join(REFERENCE) + " |", "|-" * (len(REFERENCE) + 1) + "|"]
    for c in cases.CASES:
        out.append(f"| {c.title} | " + " | ".join(_word(c, column) for column in REFERENCE) + " |")
    out += ["", "Tables that delta-rs makes (" + ", ".join(made_by_rs.MAKERS) + ") are read here and in Spark, and changed here with delta-rs reading on,"
            " but for the gaps that name them.", "", "## Gaps", ""]
    out += [f"{i + 1}. {g.reason}" for i, g in enumerate(GAPS)]
    return "\n".join(out) + "\n"


def _word(case, column):
    """yes, no or partly, with the numbers of gaps."""
    feed = ("feed of Spark's",) if column == "here reads" and case.feed >= 0 else ()
    states = [_expected(case, cell) for cell in REFERENCE[column] + feed]
    gaps = ", ".join(str(GAPS.index(g) + 1) for g in dict.fromkeys(s for s in states if s not in ("ok", "-")))
    if not gaps:
        return "yes" if "ok" in states else "–"
    return f"partly ({gaps})" if "ok" in states else f"no ({gaps})"


# Cells that are reached only where another one works.
AFTER = {
    "here reads its own": "here writes", "Spark reads ours": "here writes", "rs reads ours": "here writes", "Spark writes ours": "here writes",
    "here changes": "here reads", "rs writes ours": "Spark writes ours", "rs writes Spark's": "here changes",
}


def _expected(case, cell):
    """A gap, "ok", or "-" where the cell is not reached."""
    gap = gap_of(case.key, cell)
    if gap:
        return gap
    if cell.startswith("rs writes"):
        reads = _expected(case, cell.replace("writes", "reads"))
        if reads != "ok":
            return reads
    before = AFTER.get(cell)
    if "writes ours" in cell and not case.changed or cell == "here changes" and not case.changed:
        return "-"
    return "ok" if before is None or _expected(case, before) == "ok" else "-"
