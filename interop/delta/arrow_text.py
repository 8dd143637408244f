"""The text that Spark's CAST to STRING gives for Arrow values."""
import datetime
import decimal
import math
import struct

import pyarrow as pa


def text(value, kind):
    """The text of one value of an Arrow type; None for NULL."""
    if value is None:
        return None
    if pa.types.is_timestamp(kind):
        if value.tzinfo is not None:
            value = value.astimezone(datetime.timezone.utc)
        return _seconds(value.strftime("%H:%M:%S.%f"), _day(value))
    if pa.types.is_date(kind):
        return _day(value)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind):
        return value.decode("utf-8", "replace")
    if pa.types.is_boolean(kind):
        return "true" if value else "false"
    if pa.types.is_floating(kind):
        return _floating(value, pa.types.is_float32(kind))
    if pa.types.is_decimal(kind):
        return format(value.quantize(decimal.Decimal(1).scaleb(-kind.scale), context=decimal.Context(prec=60)), "f")
    if pa.types.is_map(kind):
        return "{" + ", ".join(f"{text(k, kind.key_type)} -> {_inner(v, kind.item_type)}" for k, v in value) + "}"
    if hasattr(kind, "value_type"):
        return "[" + ", ".join(_inner(v, kind.value_type) for v in value) + "]"
    if pa.types.is_struct(kind):
        return "{" + ", ".join(_inner(value[f.name], f.type) for f in kind) + "}"
    return str(value)


def _inner(value, kind):
    return "null" if value is None else text(value, kind)


def _day(value):
    return f"{value.year:04d}-{value.month:02d}-{value.day:02d}"


def _seconds(clock, day):
    return f"{day} {clock}".rstrip("0").rstrip(".") if clock.endswith("0") and "." in clock else f"{day} {clock}"


def _floating(value, single):
    """Java's Double.toString and Float.toString."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return "-0.0" if math.copysign(1, value) < 0 else "0.0"
    digits = _shortest(value) if single else repr(value)
    whole = decimal.Decimal(digits)
    if 1e-3 <= abs(value) < 1e7:
        out = format(whole, "f")
        return out if "." in out else out + ".0"
    sign, ds, _ = whole.as_tuple()
    ds = "".join(map(str, ds))
    exponent = whole.adjusted()
    return f"{'-' if sign else ''}{ds[0]}.{ds[1:].rstrip('0') or '0'}E{exponent}"


def _shortest(value):
    """The fewest digits that give the same single-precision number."""
    for n in range(1, 10):
        out = f"{value:.{n}g}"
        if struct.unpack("f", struct.pack("f", float(out))) == struct.unpack("f", struct.pack("f", value)):
            return out
    return repr(value)
