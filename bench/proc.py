"""CPU and memory of a process and its children, from /proc."""
import os

TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def tree(pid):
    out = [pid]
    for task in (f"/proc/{pid}/task/{t}/children" for t in os.listdir(f"/proc/{pid}/task")):
        try:
            with open(task) as f:
                for child in f.read().split():
                    out += tree(int(child))
        except (FileNotFoundError, ProcessLookupError):
            pass
    return out


def cpu(pid):
    """Seconds of user and system time, ended children included."""
    total = 0.0
    for p in tree(pid):
        try:
            with open(f"/proc/{p}/stat") as f:
                fields = f.read().rsplit(")", 1)[1].split()
            total += sum(int(x) for x in fields[11:15]) / TICK
        except (FileNotFoundError, ProcessLookupError):
            pass
    return total


def status(pid, key):
    """A memory line of /proc/pid/status, in MB."""
    with open(f"/proc/{pid}/status") as f:
        for line in f:
            if line.startswith(key + ":"):
                return int(line.split()[1]) / 1024
    return 0.0


def peak(pid):
    return status(pid, "VmHWM")


def rss(pid):
    return status(pid, "VmRSS")
