"""Apache Superset: ids from named sequences, owner by a role that may come through a group."""

import json
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import psycopg
import requests

from tests.platforms.place import ANSWER, session, wanted
from tests.platforms.software import PASSWORD_OF_MEMBER, PASSWORD_OF_OWNER, Software
from tests.platforms.words import NotAccepted, SignIn, Variant, added, changed

NOBODY_KNOWS = f"scrypt:32768:8:1$vLWygLLqxyRDvobu${'0' * 128}"
OWNER_ID = "(SELECT id FROM ab_user WHERE username = 'owner')"
FORGOTTEN = f"UPDATE ab_user SET password = '{NOBODY_KNOWS}', fail_login_count = 7 WHERE username = 'owner'"
BY_GROUP = (  # the role Admin only through a group
    "INSERT INTO ab_group (id, name, label, description) VALUES (nextval('ab_group_id_seq'), 'owners', 'Owners', '')",
    "INSERT INTO ab_group_role (id, group_id, role_id) SELECT nextval('ab_group_role_id_seq'), g.id, r.id"
    " FROM ab_group AS g, ab_role AS r WHERE g.name = 'owners' AND r.name = 'Admin'",
    f"INSERT INTO ab_user_group (id, group_id, user_id) SELECT nextval('ab_user_group_id_seq'), g.id, {OWNER_ID}"
    " FROM ab_group AS g WHERE g.name = 'owners'",
    f"DELETE FROM ab_user_role WHERE user_id = {OWNER_ID}",
    # beside a group that owns nothing
    "INSERT INTO ab_group (id, name, label, description) VALUES (nextval('ab_group_id_seq'), 'analysts', 'Analysts', '')",
    "INSERT INTO ab_user_group (id, group_id, user_id) SELECT nextval('ab_user_group_id_seq'), g.id, u.id"
    " FROM ab_group AS g, ab_user AS u WHERE g.name = 'analysts' AND u.username = 'alice'",
)
LOCK_OUTS: Mapping[str, tuple[str, ...]] = {
    "deleted": (
        f"DELETE FROM ab_user_role WHERE user_id = {OWNER_ID}",
        f"DELETE FROM logs WHERE user_id = {OWNER_ID}",
        f"UPDATE ab_user SET created_by_fk = NULL WHERE created_by_fk = {OWNER_ID}",
        f"UPDATE ab_user SET changed_by_fk = NULL WHERE changed_by_fk = {OWNER_ID}",
        f"DELETE FROM user_attribute WHERE user_id = {OWNER_ID}",
        "DELETE FROM ab_user WHERE username = 'owner'",
    ),
    "forgotten": (FORGOTTEN,),
    "disabled": ("UPDATE ab_user SET active = false WHERE username = 'owner'",),
    "never_active": ("UPDATE ab_user SET active = NULL WHERE username = 'owner'",),
    "group_forgotten": (*BY_GROUP, FORGOTTEN),
    "group_disabled": (*BY_GROUP, "UPDATE ab_user SET active = false WHERE username = 'owner'"),
}
CONFIGURATION = """\
SECRET_KEY = "not-a-secret-not-a-secret-not-a-secret-42"
SQLALCHEMY_DATABASE_URI = "postgresql+psycopg2://{name}:{password}@/{name}?host={socket}"
WTF_CSRF_ENABLED = False
TALISMAN_ENABLED = False
DATA_DIR = {home!r}
RATELIMIT_ENABLED = False
AUTH_RATE_LIMITED = False
"""
FACTORY = "superset.app:create_app()"
RESET = (changed("public.ab_user", "password", "fail_login_count", "changed_on", username="owner"),)
ENABLED = (changed("public.ab_user", "active", "fail_login_count", "changed_on", username="owner"),)


class Superset(Software):
    name, title, package, profile = "superset", "Apache Superset", "apache-superset", "superset"
    requirements = ("apache-superset==6.1.0", "psycopg2-binary", "gunicorn", "rich", "flask-caching<2.4")
    program, ready = "superset", "/health"
    owner, member = SignIn("owner", PASSWORD_OF_OWNER), SignIn("alice", PASSWORD_OF_MEMBER)
    variants = (
        Variant(
            "deleted", "create", "rescue", (added("public.ab_user", username="rescue"), added("public.ab_user_role"))
        ),
        Variant("forgotten", "reset", "owner", RESET),
        Variant("disabled", "enable", "owner", ENABLED, says=("disabled",)),
        Variant("never_active", "enable", "owner", ENABLED, says=("disabled",)),
        Variant("group_forgotten", "reset", "owner", RESET),
        Variant("group_disabled", "enable", "owner", ENABLED, says=("disabled",)),
    )
    own_writes: Mapping[str, frozenset[str]] = {
        "public.ab_user": frozenset({"last_login", "login_count", "fail_login_count"}),
        "public.logs": frozenset(),
    }

    def prepare(self) -> None:
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        facts = {"name": self.name, "password": self.place.password, "home": str(home)}
        self._file.write_text(CONFIGURATION.format(**facts, socket=quote(self.place.socket_folder, safe="")))
        self._superset("db", "upgrade")
        self._add("create-admin", self.owner, "Own", "Er")
        self._superset("init")

    def populate(self) -> None:
        """Superset has no tenants: an ordinary user with an ordinary role."""
        self._add("create-user", self.member, "Al", "Ice", "--role", "Gamma")

    def _add(self, errand: str, who: SignIn, first: str, last: str, *more: str) -> None:
        said = {"username": who.login, "firstname": first, "lastname": last, "password": who.password}
        said["email"] = f"{who.login}@example.com"
        self._superset("fab", errand, *(word for key, value in said.items() for word in (f"--{key}", value)), *more)

    @property
    def _file(self) -> Path:
        return self.folder / "superset_config.py"

    def _superset(self, *words: str) -> None:
        self.call([self.bin / "superset", *words], self.environment())

    def command(self) -> list[object]:
        bind = f"127.0.0.1:{self.place.port}"
        return [self.bin / "gunicorn", "-w", "1", "--threads", "4", "--no-control-socket", "-b", bind, FACTORY]

    def environment(self) -> dict[str, str]:
        return super().environment() | {
            "SUPERSET_CONFIG_PATH": str(self._file),
            "FLASK_APP": FACTORY,
            "SUPERSET_HOME": str(self.folder / "home"),
        }

    def lock_out(self, variant: str, dba: psycopg.Connection) -> None:
        for statement in LOCK_OUTS[variant]:
            dba.execute(statement)

    def check_login(self, who: SignIn) -> None:
        """The form lets them in with the role Admin, and the list of all users answers."""
        if "Admin" not in self._roles(who):
            raise NotAccepted(f"{who.login} has not the role Admin")
        with self._api(who) as api:
            wanted(api.get(f"{self._v1}/security/users/", timeout=ANSWER), 200)

    def check_member(self) -> None:
        if "Gamma" not in self._roles(self.member):
            raise NotAccepted(f"{self.member.login} has not the role Gamma")

    def create_user(self, owner: SignIn, login: str) -> None:
        with self._api(owner) as api:
            asked = {"filters": [{"col": "name", "opr": "eq", "value": "Gamma"}]}
            found = wanted(api.get(f"{self._v1}/security/roles/", params={"q": json.dumps(asked)}, timeout=ANSWER), 200)
            user = {
                "username": login,
                "first_name": "Added",
                "last_name": "Afterwards",
                "email": f"{login}@example.com",
            }
            user |= {"password": PASSWORD_OF_MEMBER, "active": True, "roles": found.json()["ids"]}
            wanted(api.post(f"{self._v1}/security/users/", json=user, timeout=ANSWER), 201)

    @property
    def _v1(self) -> str:
        return f"{self.place.url}/api/v1"

    def _roles(self, who: SignIn) -> dict:
        """The roles that the web pages see after a sign-in at the form."""
        with session() as browser:
            typed = {"username": who.login, "password": who.password}
            browser.post(f"{self.place.url}/login/", data=typed, timeout=ANSWER)
            return wanted(browser.get(f"{self._v1}/me/roles/", timeout=ANSWER), 200).json()["result"]["roles"]

    def _api(self, who: SignIn) -> requests.Session:
        api = session()
        asked = {"username": who.login, "password": who.password, "provider": "db"}
        answer = wanted(api.post(f"{self._v1}/security/login", json=asked, timeout=ANSWER), 200)
        api.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return api
