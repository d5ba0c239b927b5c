"""Texts and bytes."""

from __future__ import annotations

from cqlsurge.load.workload.cassandra_stress import salt
from cqlsurge.load.workload.expressions import Expr, const
from cqlsurge.load.workload.vocabulary import VOCABULARIES
from cqlsurge.workload.calls import Call
from cqlsurge.workload.generators.form import Generator
from cqlsurge.workload.names import RangeExpr

MOST_BYTES = 256 << 20
MOST_WORDS = 10_000


def size_of(call: Call, at: int, most: int = MOST_BYTES, of: Expr | None = None) -> Expr:
    """How long, or how many: a number, a range, a distribution; drawn from a word of its own, or of `of`."""
    found = call.built(at)
    if isinstance(found, RangeExpr):
        low, high = call.range(at)
        if isinstance(low, float) or isinstance(high, float):
            call.fail("a whole number is wanted here", call.args[at])
        tree = const(low) if low == high else Expr("range", "int", (_word(call, of),), (low, high - low + 1))
        least, largest = low, high
    else:
        tree = call.integer(at)
        if of is not None and tree.op == "sample":
            tree = Expr("sample", "int", (_word(call, of),), tree.data)
        least, largest = limits(call, tree)
    if least < 0 or largest > most:
        call.fail(f"{least}..{largest} is too {'short' if least < 0 else 'long'}: from 0 to {most:,}", call.args[at])
    return tree


def limits(call: Call, tree: Expr) -> tuple[int, int]:
    """The least and the largest value of a size, 0 and 0 where that is not known."""
    if tree.op == "const":
        return int(tree.data), int(tree.data)
    if tree.op == "range":
        return tree.data[0], tree.data[0] + tree.data[1] - 1
    if tree.op == "sample":
        distribution = call.builder.names.shared.distributions[tree.data]
        ends = [distribution.sample(0), distribution.sample((1 << 64) - 1)]
        return int(min(ends)), int(max(ends))
    return 0, 0


def _word(call: Call, of: Expr | None) -> Expr:
    return call.word() if of is None else call.word_of(of)


def _slice(op: str, kind: str, alphabet: str) -> object:
    def generate(call: Call) -> Expr:
        call.count(0, 2, f"{call.name}(100), {call.name}(8..16), or {call.name}(8..16, x) of a number x")
        of = call.integer(1) if len(call.args) > 1 else None
        content = _word(call, of)
        size = size_of(call, 0, of=of) if call.args else Expr("range", "int", (_word(call, of),), (8, 9))
        if of is not None:
            return Expr("letters", kind, (of, content, size), alphabet)
        return Expr(op, kind, (content, size), (alphabet, ""))

    return generate


def _blob(call: Call) -> Expr:
    alphabet = "bytes"
    if "fill" in call.keywords:
        fill = call.builder.wanted(call.keywords.pop("fill"), None)
        if fill.data not in {"random", "text"}:
            call.fail("fill is 'random', which does not shrink, or 'text', which does")
        alphabet = "bytes" if fill.data == "random" else "repeating"
    tree = _slice("blob", "bytes", alphabet)(call)  # type: ignore[operator]
    assert isinstance(tree, Expr)
    return tree


def stress_key(call: Call) -> Expr:
    """cassandra_stress_key(seed, size)."""
    call.count(1, 2, "cassandra_stress_key(p + 1, 10)")
    return Expr("cassandra_stress_key", "bytes", (call.integer(0),), call.whole(1) if len(call.args) > 1 else 10)


def stress_blob(call: Call) -> Expr:
    """cassandra_stress_blob(seed, size of the key, column, size)."""
    call.count(4, 4, "cassandra_stress_blob(p + 1, 10, 'C0', 34)")
    column = call.expr(2)
    if column.op != "const" or column.kind != "text":
        call.fail("the column is a text in quotes", call.args[2])
    data = (call.whole(1), salt("randomstr" + column.data), call.whole(3))
    return Expr("cassandra_stress_blob", "bytes", (call.integer(0),), data)


def words(call: Call) -> Expr:
    """words(3..20)."""
    call.count(1, 1, "words(3..20)")
    content = call.word()
    return Expr("phrase", "text", (content, size_of(call, 0, MOST_WORDS)), "words")


def lorem(call: Call) -> Expr:
    """lorem(3..20)."""
    call.count(1, 1, "lorem(3..20)")
    content = call.word()
    return Expr("phrase", "text", (content, size_of(call, 0, MOST_WORDS)), "lorem")


def word(call: Call) -> Expr:
    """word(n): one of n words; word(x) of a number x drawn elsewhere."""
    call.count(1, 1, "word(1k): one of a thousand words; word(zipf(1..1000)): that one")
    number = call.integer(0)
    if number.op == "const":
        if number.data < 1:
            call.fail("there is at least one word", call.args[0])
        number = Expr("range", "int", (call.word(),), (0, number.data))
    return Expr("vocabulary", "text", (number,), "words")


def _named(vocabulary: str) -> object:
    def generate(call: Call) -> Expr:
        call.count(0, 1, f"{call.name}(), or {call.name}(x) of a number x")
        size = len(VOCABULARIES[vocabulary])
        number = call.integer(0) if call.args else Expr("range", "int", (call.word(),), (0, size))
        return Expr("vocabulary", "text", (number,), vocabulary)

    return generate


def name(call: Call) -> Expr:
    """First and last name."""
    call.count(0, 0, "name()")
    parts = [_draw(call, "first_name"), const(" "), _draw(call, "last_name")]
    return Expr("concat", "text", tuple(parts))


def _draw(call: Call, vocabulary: str) -> Expr:
    number = Expr("range", "int", (call.word(),), (0, len(VOCABULARIES[vocabulary])))
    return Expr("vocabulary", "text", (number,), vocabulary)


def email(call: Call) -> Expr:
    """A name, a number, example.com; of a number x: x."""
    call.count(0, 1, "email(), or email(p): one for each p")
    number = call.integer(0) if call.args else Expr("range", "int", (call.word(),), (0, 1_000_000))
    first, last = _draw(call, "first_name"), _draw(call, "last_name")
    digits = Expr("string", "text", (number,), "")
    return Expr("concat", "text", (first, const("."), last, const("."), digits, const("@example.com")))


def file(call: Call) -> Expr:
    """file('path', 'column'), file('path', 'column', x)."""
    from cqlsurge.workload.generators.files import read_column

    call.count(2, 3, "file('cities.csv', 'name'), or file('cities.csv', 'name', x): the value of line x")
    path, column = [call.expr(at) for at in (0, 1)]
    if path.op != "const" or column.op != "const" or path.kind != "text" or column.kind != "text":
        call.fail("path and column are texts in quotes")
    try:
        values, kind = read_column(str(path.data), str(column.data), call.builder.names.folder, call.want)
    except ValueError as error:
        call.fail(str(error))
    index = call.builder.names.shared.value_list(values)
    number = call.integer(2) if len(call.args) > 2 else Expr("range", "int", (call.word(),), (0, len(values)))
    return Expr("value", kind, (number,), index)


TEXTS = (
    Generator("text", "text(n), text(a..b) or text(a..b, x)", "letters, digits, blanks: n or a to b of them; with x a "
              "function of the number x alone", "text(8..16)", _slice("text", "text", "text")),  # type: ignore[arg-type]
    Generator("ascii", "ascii(a..b)", "printable ASCII characters", "ascii(10)", _slice("text", "text", "ascii")),  # type: ignore[arg-type]
    Generator("hex", "hex(a..b)", "hexadecimal digits", "hex(32)", _slice("text", "text", "hex")),  # type: ignore[arg-type]
    Generator("words", "words(a..b)", "so many made-up words", "words(3..20)", words),
    Generator("word", "word(n)", "one of n made-up words; n up to anything", "word(1k)", word),
    Generator("lorem", "lorem(a..b)", "so many words of Latin", "lorem(5..9)", lorem),
    Generator("name", "name()", "a first and a last name", "name()", name),
    Generator("first_name", "first_name()", "a first name", "first_name()", _named("first_name")),  # type: ignore[arg-type]
    Generator("last_name", "last_name()", "a last name", "last_name()", _named("last_name")),  # type: ignore[arg-type]
    Generator("city", "city()", "a city", "city()", _named("city")),  # type: ignore[arg-type]
    Generator("email", "email() or email(x)", "an address at example.com, with x one for each x", "email(p)", email),
    Generator("blob", "blob(n), blob(a..b) or blob(a..b, x)", "random bytes; fill='text' makes them shrink under LZ4",
              "blob(1000)", _blob),
    Generator("cassandra_stress_key", "cassandra_stress_key(seed, size)", "the key that cassandra-stress makes of a "
              "seed", "cassandra_stress_key(p + 1, 10)", stress_key),
    Generator("cassandra_stress_blob", "cassandra_stress_blob(seed, key size, 'COLUMN', size)", "the cell of a column "
              "of its table standard1", "cassandra_stress_blob(p + 1, 10, 'C0', 34)", stress_blob),
    Generator("file", "file('PATH', 'COLUMN')", "a value of a column of a CSV or Parquet file; with x that of line x",
              "file('cities.csv', 'name')", file),
)  # fmt: skip
