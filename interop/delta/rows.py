"""What the readers here print of a table: one JSON object that two readers can be compared by."""
import datetime
import decimal
import hashlib
import json
import math


def plain(v):
    """The JSON form of a value, the same whichever engine read it."""
    if v is None or isinstance(v, (bool, str)):
        return v
    if isinstance(v, int):
        return str(v)
    if isinstance(v, float):
        if math.isnan(v):
            return "NaN"
        return repr(0.0 if v == 0 else v)
    if isinstance(v, decimal.Decimal):
        return format(v, "f")
    if isinstance(v, (bytes, bytearray, memoryview)):
        return "0x" + bytes(v).hex()
    if isinstance(v, datetime.datetime):
        if v.tzinfo is not None:
            v = v.astimezone(datetime.timezone.utc).replace(tzinfo=None)
        return v.isoformat(timespec="microseconds")
    if isinstance(v, datetime.date):
        return v.isoformat()
    if hasattr(v, "asDict"):
        v = v.asDict()
    if isinstance(v, dict):
        return {str(k): plain(x) for k, x in sorted(v.items(), key=lambda kv: str(kv[0]))}
    if isinstance(v, (list, tuple)):
        return [plain(x) for x in v]
    raise TypeError(type(v))


def report(reader, version, files, names, rows):
    """Print the comparison object: counts, NULLs by column, and a digest of all rows."""
    texts = sorted(json.dumps([plain(v) for v in r], ensure_ascii=False) for r in rows)
    nulls = {n: sum(1 for r in rows if r[i] is None) for i, n in enumerate(names)}
    digest = hashlib.sha256("\n".join(texts).encode()).hexdigest()
    print(json.dumps({"reader": reader, "version": version, "files": files, "rows": len(texts),
                      "columns": list(names), "nulls": nulls, "digest": digest, "sample": texts[:1]},
                     ensure_ascii=False))
