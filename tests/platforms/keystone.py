"""OpenStack Keystone: an account in five linked tables, owner by role on the system and on a project."""

import grp
import os
import pwd
from collections.abc import Mapping
from pathlib import Path

import psycopg
import requests

from tests.platforms.place import ANSWER, session, wanted
from tests.platforms.software import PASSWORD_OF_MEMBER, PASSWORD_OF_OWNER, Software
from tests.platforms.words import NotAccepted, SignIn, Variant, added, changed

SYSTEM = {"system": {"all": True}}
PROJECT = {"project": {"name": "admin", "domain": {"id": "default"}}}
NOBODY_KNOWS = "$2b$12$8z6X9bBdx3Xo2vgqTTVn0uMCSBXWXNvnA0OacAZ/sN7bLuUv7sx9u"
OWNER_ID = "(SELECT user_id FROM local_user WHERE name = 'owner' AND domain_id = 'default')"
OWNER_NO = "(SELECT id FROM local_user WHERE name = 'owner' AND domain_id = 'default')"
CONFIGURATION = """\
[DEFAULT]
log_file = {folder}/keystone.log
[database]
connection = postgresql+psycopg2://{name}:{password}@/{name}?host={socket}
[token]
provider = fernet
[fernet_tokens]
key_repository = {folder}/etc/fernet
[credential]
key_repository = {folder}/etc/cred
[cache]
enabled = false
[security_compliance]
lockout_failure_attempts = 5
lockout_duration = 1800
disable_user_account_days_inactive = 90
"""
FORGOTTEN = f"UPDATE password SET password_hash = '{NOBODY_KNOWS}' WHERE local_user_id = {OWNER_NO}"
LOCKED = f"UPDATE local_user SET failed_auth_count = 5, failed_auth_at = timezone('utc', now()) WHERE id = {OWNER_NO}"
DISABLED = f'UPDATE "user" SET enabled = false WHERE id = {OWNER_ID}'
BY_GROUP = (  # the role admin only through a group
    """INSERT INTO "group" (id, domain_id, name, description, extra) VALUES ('owners', 'default', 'owners', '', '{}')""",
    f"INSERT INTO user_group_membership (user_id, group_id) VALUES ({OWNER_ID}, 'owners')",
    f"UPDATE assignment SET type = 'GroupProject', actor_id = 'owners' WHERE actor_id = {OWNER_ID}",
    f"UPDATE system_assignment SET type = 'GroupSystem', actor_id = 'owners' WHERE actor_id = {OWNER_ID}",
)
LOCK_OUTS: Mapping[str, tuple[str, ...]] = {
    "deleted": (
        f"DELETE FROM assignment WHERE actor_id = {OWNER_ID}",
        f"DELETE FROM system_assignment WHERE actor_id = {OWNER_ID}",
        f'DELETE FROM "user" WHERE id = {OWNER_ID}',
    ),
    "forgotten": (FORGOTTEN,),
    "forgotten_locked": (FORGOTTEN, LOCKED),
    "expired": (
        FORGOTTEN,
        "UPDATE password SET expires_at = '2020-01-01', expires_at_int = 1577836800000000"
        f" WHERE local_user_id = {OWNER_NO}",
    ),
    "disabled": (DISABLED,),
    "inactive": (f"UPDATE \"user\" SET last_active_at = '2020-01-01' WHERE id = {OWNER_ID}",),
    "domain_disabled": ("UPDATE project SET enabled = false WHERE id = 'default'",),
    "group_disabled": (*BY_GROUP, DISABLED),
}
CREATED = (
    *(added("public.user"), added("public.local_user", name="rescue"), added("public.password")),
    *(added("public.assignment", type="UserProject"), added("public.system_assignment", target_id="system")),
)
ENABLED = (changed("public.user", "enabled", enabled="true"),)
RESET = ("password_hash", "created_at", "created_at_int")


class Keystone(Software):
    name, title, package, profile = "keystone", "OpenStack Keystone", "keystone", "keystone"
    requirements = ("keystone==30.0.0", "psycopg2-binary", "gunicorn")
    program, ready = "keystone-manage", "/v3"
    owner, member = SignIn("owner", PASSWORD_OF_OWNER), SignIn("alice", PASSWORD_OF_MEMBER)
    variants = (
        Variant("deleted", "create", "rescue", CREATED),
        Variant("forgotten", "reset", "owner", (changed("public.password", *RESET),)),
        Variant(
            "forgotten_locked",
            "reset",
            "owner",
            (changed("public.password", *RESET), changed("public.local_user", "failed_auth_count", "failed_auth_at")),
            says=("locked",),
        ),
        Variant(
            *("expired", "reset", "owner", (changed("public.password", *RESET, "expires_at", "expires_at_int"),)),
            says=("password_expired",),
        ),
        Variant("disabled", "enable", "owner", ENABLED, says=("disabled",)),
        Variant(
            *("inactive", "reset", "owner"),
            (changed("public.password", *RESET), changed("public.user", "last_active_at", enabled="true")),
        ),
        Variant(
            *("domain_disabled", "enable", "owner", (changed("public.project", "enabled", id="default"),)),
            says=("tenant_suspended",),
        ),
        Variant("group_disabled", "enable", "owner", ENABLED, says=("disabled",)),
    )
    own_writes: Mapping[str, frozenset[str]] = {"public.user": frozenset({"last_active_at"})}

    def prepare(self) -> None:
        for name in ("fernet", "cred"):
            (self.folder / "etc" / name).mkdir(parents=True, exist_ok=True)
        facts = {"folder": self.folder, "name": self.name, "password": self.place.password}
        self._file.write_text(CONFIGURATION.format(**facts, socket=self.place.socket_folder))
        self._gunicorn.write_text('wsgi_app = "keystone.wsgi.api:application"\n')
        self._manage("db_sync")
        user, group = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name
        for errand in ("fernet_setup", "credential_setup"):
            self._manage(errand, "--keystone-user", user, "--keystone-group", group)
        said = {"username": "owner", "password": self.owner.password, "project-name": "admin", "role-name": "admin"}
        self._manage("bootstrap", *(word for key, value in said.items() for word in (f"--bootstrap-{key}", value)))

    @property
    def _file(self) -> Path:
        return self.folder / "etc" / "keystone.conf"

    @property
    def _gunicorn(self) -> Path:
        return self.folder / "etc" / "gunicorn.conf.py"

    def _manage(self, *words: str) -> None:
        command = [self.bin / "keystone-manage", "--config-file", self._file, *words]
        self.call(command, self.environment())

    def command(self) -> list[object]:
        return [self.bin / "gunicorn"]

    def environment(self) -> dict[str, str]:
        # Keystone reads the command line itself, so gunicorn gets its options from the environment and a file.
        options = f"-c {self._gunicorn} --bind 127.0.0.1:{self.place.port} --workers 1 --threads 4 --no-control-socket"
        return super().environment() | {"OS_KEYSTONE_CONFIG_FILES": str(self._file), "GUNICORN_CMD_ARGS": options}

    def populate(self) -> None:
        """A domain and a project in it, somebody who works there, and its admin, who is called like the owner and owns nothing else."""
        with self._signed_in(self.owner, SYSTEM) as api:
            domain = self._made(api, "domain", name="acme")
            project = self._made(api, "project", name="acme-prod", domain_id=domain)
            for who, role in ((self.member, "member"), (SignIn(self.owner.login, PASSWORD_OF_MEMBER), "admin")):
                user = self._made(api, "user", domain_id=domain, name=who.login, password=who.password)
                place = f"{self._v3}/projects/{project}/users/{user}/roles/{self._role(api, role)}"
                wanted(api.put(place, timeout=ANSWER), 204)

    def _role(self, api: requests.Session, name: str) -> str:
        roles = wanted(api.get(f"{self._v3}/roles", timeout=ANSWER), 200).json()["roles"]
        return next(role["id"] for role in roles if role["name"] == name)

    def lock_out(self, variant: str, dba: psycopg.Connection) -> None:
        for statement in LOCK_OUTS[variant]:
            dba.execute(statement)

    def check_login(self, who: SignIn) -> None:
        """A token for the whole system and one for the project, each with the role admin, and each may list all users."""
        for scope in (SYSTEM, PROJECT):
            with self._signed_in(who, scope) as api:
                token = {"X-Subject-Token": api.headers["X-Auth-Token"]}
                told = wanted(api.get(f"{self._v3}/auth/tokens", headers=token, timeout=ANSWER), 200).json()["token"]
                if "admin" not in [role["name"] for role in told["roles"]]:
                    raise NotAccepted(f"{who.login} has not the role admin")
                wanted(api.get(f"{self._v3}/users", timeout=ANSWER), 200)

    def check_member(self) -> None:
        scope = {"project": {"name": "acme-prod", "domain": {"name": "acme"}}}
        with self._signed_in(self.member, scope, domain="acme") as api:
            wanted(api.get(f"{self._v3}/auth/projects", timeout=ANSWER), 200)

    def create_user(self, owner: SignIn, login: str) -> None:
        with self._signed_in(owner, SYSTEM) as api:
            self._made(api, "user", name=login, domain_id="default", password=PASSWORD_OF_MEMBER)

    @property
    def _v3(self) -> str:
        return f"{self.place.url}/v3"

    def _signed_in(self, who: SignIn, scope: dict, *, domain: str = "") -> requests.Session:
        place = {"name": domain} if domain else {"id": "default"}
        user = {"name": who.login, "domain": place, "password": who.password}
        asked = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
        api = session()
        answer = wanted(api.post(f"{self._v3}/auth/tokens", json=asked, timeout=ANSWER), 201)
        api.headers["X-Auth-Token"] = answer.headers["X-Subject-Token"]
        return api

    def _made(self, api: requests.Session, kind: str, **facts: str) -> str:
        answer = wanted(api.post(f"{self._v3}/{kind}s", json={kind: facts}, timeout=ANSWER), 201)
        return answer.json()[kind]["id"]
