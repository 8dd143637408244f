"""Values of Spark as JSON: the exact text of everything that JSON or Python would round."""
import decimal
import json

from pyspark.sql import types as T

_PLAIN = (T.BooleanType, T.ByteType, T.ShortType, T.IntegerType, T.NullType)


def expression(e, t, depth=0):
    """SQL that turns e, of type t, into what Python receives unharmed."""
    if isinstance(t, T.TimestampType):
        return f"unix_micros({e})"
    if isinstance(t, T.DateType):
        return f"unix_date({e})"
    if isinstance(t, T.BinaryType):
        return f"lower(hex({e}))"
    if isinstance(t, T.VariantType):
        return f"to_json({e})"
    if isinstance(t, T.SpatialType):
        return f"concat(st_srid({e}), ' ', hex(st_asbinary({e})))"
    x = f"x{depth}"
    if isinstance(t, T.ArrayType):
        return f"transform({e}, {x} -> {expression(x, t.elementType, depth + 1)})"
    if isinstance(t, T.MapType):
        k = expression(x + ".key", t.keyType, depth + 1)
        v = expression(x + ".value", t.valueType, depth + 1)
        return f"transform(map_entries({e}), {x} -> named_struct('k', {k}, 'v', {v}))"
    if isinstance(t, T.StructType):
        if not t.fields:
            return e
        if len({f.name.lower() for f in t.fields}) < len(t.fields):
            unique = ", ".join(f"f{i}: {f.dataType.simpleString()}" for i, f in enumerate(t.fields))
            t = T.StructType([T.StructField(f"f{i}", f.dataType) for i, f in enumerate(t.fields)])
            e = f"cast({e} as struct<{unique}>)"
        parts = []
        for i, f in enumerate(t.fields):
            name = f.name.replace("`", "``")
            parts.append(f"'f{i}', {expression(f'{e}.`{name}`', f.dataType, depth)}")
        return f"if({e} is null, null, named_struct({', '.join(parts)}))"
    if isinstance(t, _PLAIN) or type(t) is T.StringType:
        return e
    return f"cast({e} as string)"


def value(v, t):
    """The JSON value of what the expression gave."""
    if v is None:
        return None
    if isinstance(t, T.TimestampType):
        return _instant(v)
    if isinstance(t, T.DateType):
        return _civil(v)
    if isinstance(t, T.TimestampNTZType):
        return v.replace(" ", "T")
    if isinstance(t, T.BinaryType):
        return "0x" + v
    if isinstance(t, T.VariantType):
        return {"variant": v}
    if isinstance(t, T.SpatialType):
        return "0x" + _ewkb(*v.split()).hex()
    if isinstance(t, T.DecimalType):
        return f"{decimal.Decimal(v):f}"
    if isinstance(t, T.ArrayType):
        return [value(x, t.elementType) for x in v]
    if isinstance(t, T.MapType):
        return sorted(([value(x[0], t.keyType), value(x[1], t.valueType)] for x in v), key=lambda p: text(p[0]))
    if isinstance(t, T.StructType):
        return [value(x, f.dataType) for x, f in zip(v, t.fields)]
    if isinstance(v, (int, str, bool)):
        return v
    return str(v)


def _ewkb(srid, wkb):
    """Well-known binary with the number of its reference system in it, as PostGIS writes it."""
    b = bytes.fromhex(wkb)
    return b[:1] + (int.from_bytes(b[1:5], "little") | 0x20000000).to_bytes(4, "little") + int(srid).to_bytes(4, "little") + b[5:]


def text(v):
    """A value's JSON text as rows are sorted by it."""
    return json.dumps(v, separators=(",", ":"), ensure_ascii=False)


def _instant(us):
    seconds, us = divmod(us, 1_000_000)
    days, s = divmod(seconds, 86400)
    fraction = f".{us:06d}".rstrip("0") if us else ""
    return f"{_civil(days)}T{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}{fraction}Z"


def _civil(days):
    """A day of the proleptic Gregorian calendar, also beyond Python's years."""
    cycles, rest = divmod(days - _days(2000), 146097)
    year = 2000 + 400 * cycles + rest // 366
    while _days(year + 1) <= days:
        year += 1
    rest = days - _days(year)
    for month, length in enumerate((31, 28 + _leap(year), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), 1):
        if rest < length:
            break
        rest -= length
    sign = "+" if year > 9999 else "-" if year < 0 else ""
    return f"{sign}{abs(year):04d}-{month:02d}-{rest + 1:02d}"


def _leap(year):
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _days(year):
    """Days from 1970-01-01 to the first of January of a year."""
    y = year - 1
    return y * 365 + y // 4 - y // 100 + y // 400 - 719162
