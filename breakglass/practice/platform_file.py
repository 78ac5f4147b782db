"""The platform file of a practice set-up: Acme, marked as practice, with its connections in files beside it."""

from pathlib import Path

from breakglass.practice.cluster import Cluster
from breakglass.practice.platform import BROKER, READER, PlatformLogins

NAME = "acme"
TEXT = """\
# Written by the practice set-up. Your own platforms stand in a file of your own, named by BREAKGLASS_PLATFORMS.
[platform.acme]
title = "Acme (practice)"
profile = "saas"
practice = true
sandbox = true
ticket_pattern = "OPS-[0-9]{{1,6}}"
ticket_example = "OPS-3311"
ticket_url = "https://tickets.acme.example/{{ticket}}"
sign_in_url = "{sign_in_url}"
owner_notice = ["owners@acme.example"]
reader_file = "acme-reader"
broker_file = "acme-broker"

[[platform.acme.network]]
title = "Bastion rule console -> acme database, port 5432"
owner = "Network on call"

[[platform.acme.secret]]
title = "Password of the broker login"
owner = "Database team"

[[platform.acme.source]]
kind = "audit"
title = "System, Audit log, Export (time window)"
where = "{sign_in_url}audit-log.csv"

[[platform.acme.source]]
kind = "log"
title = "Backend log of the sign-in site"
where = "{log}"
"""


def write(folder: Path, cluster: Cluster, dbname: str, logins: PlatformLogins, *, sign_in_url: str, log: Path) -> Path:
    """Write platforms.toml and the two connection files (0600) into the folder; the path of the first."""
    for name, role, password in (("acme-reader", READER, logins.reader), ("acme-broker", BROKER, logins.broker)):
        secret = folder / name
        secret.touch(mode=0o600)
        secret.write_text(cluster.url(role, password, dbname))
    file = folder / "platforms.toml"
    file.write_text(TEXT.format(sign_in_url=sign_in_url, log=log))
    return file
