"""Slows guessing down, lane by lane, before anything costly is done. It delays by 30 seconds at most; it never locks anybody."""

from collections.abc import Iterable
from hashlib import sha256

from django.db import connection, transaction

from breakglass.people.refusals import SignInSlow

LONGEST_WAIT = 30  # seconds
FORGOTTEN_AFTER = 900  # seconds without an attempt
FREE = {"address": 20, "account": 5, "device": 5, "code": 5}
# Names are folded into this many lanes: a stranger who makes names up cannot fill the table, and no typed name is stored.
LANES = 0xFFFFF

MAKE = "INSERT INTO people_throttle (lane, failures, turned_away) VALUES (%s, 0, 0) ON CONFLICT (lane) DO NOTHING"
WAIT = """
SELECT coalesce(max(ceil(extract(epoch FROM next_at - clock_timestamp()))), 0)::int, coalesce(sum(turned_away), 0)::int
  FROM (SELECT next_at, turned_away FROM people_throttle WHERE lane = ANY(%s) ORDER BY lane FOR UPDATE) AS locked
"""
TURN_AWAY = """
UPDATE people_throttle SET turned_away = turned_away + 1 WHERE lane = ANY(%s) AND next_at > clock_timestamp()
"""
TAKE = """
WITH counted AS (
    SELECT lane, CASE WHEN next_at < clock_timestamp() - make_interval(secs => %(forgotten)s) THEN 1
                      ELSE failures + 1 END AS failures
      FROM people_throttle WHERE lane = %(lane)s)
UPDATE people_throttle AS t
   SET failures = least(counted.failures, 1000), turned_away = 0,
       next_at = clock_timestamp() + make_interval(secs => CASE WHEN counted.failures <= %(free)s THEN 0
           ELSE least(%(longest)s, 2 ^ least(counted.failures - %(free)s, 10)) END)
  FROM counted WHERE t.lane = counted.lane
"""
GIVE_BACK = """
UPDATE people_throttle SET next_at = clock_timestamp(),
       failures = CASE WHEN lane LIKE 'address:%%' THEN greatest(failures - 1, 0) ELSE 0 END
 WHERE lane = ANY(%s)
"""


def lane(kind: str, of: object) -> str:
    """The lane of one address, account name, known device or code prompt: a key of FREE and what it is about."""
    number = int.from_bytes(sha256(str(of).encode("utf-8", "backslashreplace")).digest()[:4], "big") & LANES
    return f"{kind}:{number:05x}"


def enter(lanes: Iterable[str]) -> None:
    """Count an attempt in its lanes before it is looked at, so that many at once gain nothing.

    Raises:
        SignInSlow: a lane has to wait; the attempt must not be looked at. `is_first`: the first one turned away in this wait.
    """
    lanes = sorted(lanes)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(MAKE, [[one] for one in lanes])
        cursor.execute(WAIT, [lanes])
        wait, turned_away = cursor.fetchone()
        if wait > 0:
            cursor.execute(TURN_AWAY, [lanes])
        else:
            cursor.executemany(TAKE, [_counting(one) for one in lanes])
    if wait > 0:
        raise SignInSlow(wait=wait, is_first=turned_away == 0)


def give_back(lanes: Iterable[str]) -> None:
    """The attempt was right: its place does not count. An address keeps what others there have spoilt."""
    lanes = sorted(lanes)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(WAIT, [lanes])  # locks them in the order of `enter`
        cursor.execute(GIVE_BACK, [lanes])


def _counting(one: str) -> dict[str, str | int]:
    free = FREE[one.partition(":")[0]]
    return {"lane": one, "free": free, "longest": LONGEST_WAIT, "forgotten": FORGOTTEN_AFTER}
