"""What bronze, silver, quarantine and gold of examples/air must hold,
computed from the CSV files alone, with nothing but the standard library."""
import collections
import csv
import datetime
import math

POLLUTANTS = ("PM2.5", "PM10", "SO2", "NO2", "CO", "O3")
SHANGHAI = datetime.timedelta(hours=8)


def number(text):
    return None if text in ("", "NA") else float(text)


def failed(r):
    """The names of the rules that a row breaks, in the table's order; empty where no dropping rule is among them."""
    v = {p: number(r[p]) for p in POLLUTANTS}
    t = number(r["TEMP"])
    out = []
    if all(x is None for x in v.values()):
        out.append("has_pollutant")
    if not ((v["CO"] or 0) < 10000 and (v["PM10"] or 0) < 999):
        out.append("not_saturated")
    if v["O3"] is not None and v["O3"] > 500:
        out.append("ozone_plausible")
    if t is not None and not -40 <= t <= 50:
        out.append("temperature_plausible")
    if out and v["PM2.5"] is not None and v["PM10"] is not None and v["PM2.5"] > v["PM10"]:
        out.append("fine_within_coarse")  # it only warns, but a row that is set aside says all that is wrong with it
    return out


def compute(files, zone_hours=0):
    """bronze: rows per station; silver and quarantine: {(station, No): ...};
    gold: {(station, day, pollutant): (count, mean, maximum)}."""
    bronze, silver, aside = collections.Counter(), {}, {}
    groups = collections.defaultdict(list)
    for name in files:
        with open(name, newline="") as f:
            for r in csv.DictReader(f):
                station, no = r["station"], int(r["No"])
                bronze[station] += 1
                why = failed(r)
                if why:
                    aside[station, no] = why
                    continue
                at = datetime.datetime(int(r["year"]), int(r["month"]), int(r["day"]), int(r["hour"]))
                at -= datetime.timedelta(hours=zone_hours)
                values = {p: number(r[p]) for p in POLLUTANTS}
                silver[station, no] = (at, values, number(r["TEMP"]), None if r["wd"] == "NA" else r["wd"])
                for p, v in values.items():
                    if v is not None:
                        groups[station, (at + SHANGHAI).date(), p].append(v)
    gold = {k: (len(v), math.fsum(v) / len(v), max(v)) for k, v in groups.items()}
    return bronze, silver, aside, gold
