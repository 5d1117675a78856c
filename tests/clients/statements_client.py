"""Not there yet."""
from worker import Skipped


def cases(at):
    raise Skipped("not there yet")
