"""Directus: quoted names, uuids without a default, a status in words, and owners that come by a policy two joins away."""

import os
from collections.abc import Mapping

import psycopg
import requests

from tests.platforms.npm import NpmSoftware
from tests.platforms.place import ANSWER, session, wanted
from tests.platforms.software import PASSWORD_OF_MEMBER, PASSWORD_OF_OWNER
from tests.platforms.words import NotAccepted, Row, SignIn, Variant, added, changed, removed

RESCUE = "rescue@example.com"
NOBODY_KNOWS = "$argon2id$v=19$m=65536,t=3,p=4$19G0tqCYBYKws2FqyAUpkg$AAAAAAAAxSs2w9IxszgsV3JhVf+jHxWosrlpxUKWckw"
OWNER_ID = "(SELECT id FROM directus_users WHERE email = 'owner@example.com')"
FORGOTTEN = f"UPDATE directus_users SET password = '{NOBODY_KNOWS}' WHERE email = 'owner@example.com'"
SUSPENDED = "UPDATE directus_users SET status = 'suspended' WHERE email = 'owner@example.com'"
SECOND_FACTOR = "UPDATE directus_users SET tfa_secret = 'JBSWY3DPEHPK3PXP' WHERE email = 'owner@example.com'"
INTRUDER = (
    'INSERT INTO directus_sessions (token, "user", expires)'
    f" VALUES ('somebody-else', {OWNER_ID}, now() + interval '1 day')"
)
DELETED = ("DELETE FROM directus_users WHERE email = 'owner@example.com'",)
NO_ROLE = "DELETE FROM directus_roles WHERE name = 'Administrator'"
NESTED = (  # the right comes from a role above that of the account
    "INSERT INTO directus_roles (id, name, parent) SELECT gen_random_uuid(), 'Deputies', id FROM directus_roles"
    " WHERE name = 'Administrator'",
    "UPDATE directus_users SET role = (SELECT id FROM directus_roles WHERE name = 'Deputies')"
    " WHERE email = 'owner@example.com'",
)
DIRECT = (  # the right comes without any role
    'INSERT INTO directus_access (id, "user", policy)'
    f" SELECT gen_random_uuid(), {OWNER_ID}, id FROM directus_policies WHERE admin_access",
    "UPDATE directus_users SET role = NULL WHERE email = 'owner@example.com'",
)
LOCK_OUTS: Mapping[str, tuple[str, ...]] = {
    "deleted": DELETED,
    "deleted_role": (*DELETED, NO_ROLE),
    "deleted_policy": (*DELETED, NO_ROLE, "DELETE FROM directus_policies WHERE admin_access"),
    "forgotten": (FORGOTTEN, INTRUDER),
    "forgotten_suspended": (FORGOTTEN, SUSPENDED),
    "tfa": (FORGOTTEN, SECOND_FACTOR),
    "disabled": (SUSPENDED,),
    "nested_forgotten": (*NESTED, FORGOTTEN),
    "direct_disabled": (*DIRECT, SUSPENDED),
}
NEW_OWNER = added("public.directus_users", email=RESCUE, status="active", provider="default")
USER = "public.directus_users"


def _reset(*more: Row, columns: tuple[str, ...] = ()) -> tuple[Row, ...]:
    return (changed(USER, "password", *columns, email="owner@example.com", status="active"), *more)


class Directus(NpmSoftware):
    name, title, package, profile = "directus", "Directus", "directus", "directus"
    requirements = ("directus@12.4.0",)  # 12.4.1 asks for a part that registries did not all have
    program, ready = "directus", "/server/ping"
    caches = True  # who has which policy; a recovery asks for new accounts only, but lock-outs take policies away
    owner, member = SignIn("owner@example.com", PASSWORD_OF_OWNER), SignIn("alice@example.com", PASSWORD_OF_MEMBER)
    variants = (
        Variant("deleted", "create", RESCUE, (NEW_OWNER,)),
        Variant("deleted_role", "create", RESCUE, (NEW_OWNER, added("public.directus_access"))),
        Variant(
            "deleted_policy",
            "create",
            RESCUE,
            (NEW_OWNER, added("public.directus_access"), added("public.directus_policies", admin_access="true")),
        ),
        Variant("forgotten", "reset", owner.login, _reset(removed("public.directus_sessions", token="somebody-else"))),
        Variant("forgotten_suspended", "reset", owner.login, _reset(columns=("status",)), says=("disabled",)),
        Variant("tfa", "reset", owner.login, _reset(columns=("tfa_secret",)), says=("second_factor",)),
        Variant("disabled", "enable", owner.login, (changed(USER, "status", status="active"),), says=("disabled",)),
        Variant("nested_forgotten", "reset", owner.login, _reset()),
        Variant(
            "direct_disabled", "enable", owner.login, (changed(USER, "status", status="active"),), says=("disabled",)
        ),
    )
    own_writes: Mapping[str, frozenset[str]] = {
        "public.directus_users": frozenset({"last_access"}),
        "public.directus_activity": frozenset(),
        "public.directus_revisions": frozenset(),
        "public.directus_sessions": frozenset(),
    }

    def prepare(self) -> None:
        for name in ("uploads", "extensions"):
            (self.folder / name).mkdir(exist_ok=True)
        first = {"ADMIN_EMAIL": self.owner.login, "ADMIN_PASSWORD": self.owner.password}
        self.call([self.bin / "directus", "bootstrap"], self.environment() | first)

    def command(self) -> list[object]:
        return [self.bin / "directus", "start"]

    def environment(self) -> dict[str, str]:
        return super().environment() | {
            "CONFIG_PATH": os.devnull,
            "HOST": "127.0.0.1",
            "PORT": str(self.place.port),
            "PUBLIC_URL": self.place.url,
            "SECRET": "not-a-secret-not-a-secret-not-a-secret-42",
            "DB_CLIENT": "pg",
            "DB_HOST": self.place.socket_folder,
            "DB_PORT": "5432",
            "DB_DATABASE": self.name,
            "DB_USER": self.name,
            "DB_PASSWORD": self.place.password,
            "TELEMETRY": "false",
            "CACHE_ENABLED": "false",
            "WEBSOCKETS_ENABLED": "false",
            "LOGIN_STALL_TIME": "50",
        }

    def populate(self) -> None:
        """Directus has no tenants: a role of a customer, and somebody who has it."""
        with self._signed_in(self.owner) as api:
            role = self._made(api, "roles", name="Customer acme")
            rights = {"app_access": True, "admin_access": False, "roles": [{"role": role}]}
            self._made(api, "policies", name="Acme", **rights)
            self._made(api, "users", **self._account(self.member), role=role)

    def lock_out(self, variant: str, dba: psycopg.Connection) -> None:
        dba.execute("DELETE FROM directus_sessions")  # those of the set-up
        for statement in LOCK_OUTS[variant]:
            dba.execute(statement)

    def check_login(self, who: SignIn) -> None:
        """They may do everything, see the accounts of others, and write the settings."""
        with self._signed_in(who) as api:
            rights = wanted(api.get(f"{self.place.url}/policies/me/globals", timeout=ANSWER), 200).json()["data"]
            if not rights["admin_access"]:
                raise NotAccepted(f"{who.login} has no admin_access")
            accounts = wanted(api.get(f"{self.place.url}/users?fields=email", timeout=ANSWER), 200).json()["data"]
            if self.member.login not in [account["email"] for account in accounts]:
                raise NotAccepted(f"{who.login} does not see {self.member.login}")
            settings = {"project_name": "Directus"}
            wanted(api.patch(f"{self.place.url}/settings", json=settings, timeout=ANSWER), 200)

    def check_member(self) -> None:
        """They see themselves, and may not write the settings."""
        with self._signed_in(self.member) as api:
            me = wanted(api.get(f"{self.place.url}/users/me?fields=email", timeout=ANSWER), 200).json()["data"]
            if me["email"] != self.member.login:
                raise NotAccepted(f"{self.member.login} is taken for {me['email']}")
            wanted(api.patch(f"{self.place.url}/settings", json={"project_name": "Mine"}, timeout=ANSWER), 403)

    def create_user(self, owner: SignIn, login: str) -> None:
        added_one = SignIn(f"{login}@example.com", PASSWORD_OF_MEMBER)
        with self._signed_in(owner) as api:
            self._made(api, "users", **self._account(added_one))
        self._signed_in(added_one).close()

    @staticmethod
    def _account(who: SignIn) -> dict[str, str]:
        return {"email": who.login, "password": who.password, "status": "active"}

    def _signed_in(self, who: SignIn) -> requests.Session:
        api = session()
        typed = {"email": who.login, "password": who.password}
        answer = wanted(api.post(f"{self.place.url}/auth/login", json=typed, timeout=ANSWER), 200)
        api.headers["Authorization"] = f"Bearer {answer.json()['data']['access_token']}"
        return api

    def _made(self, api: requests.Session, kind: str, **facts: object) -> str:
        answer = wanted(api.post(f"{self.place.url}/{kind}", json=facts, timeout=ANSWER), 200)
        return answer.json()["data"]["id"]
