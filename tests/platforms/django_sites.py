"""Two Django sites: one with Django's own accounts, one with a user model of its own. Both run from the tests' own environment."""

import re
import sys
from collections.abc import Mapping
from pathlib import Path

import psycopg
import requests

from breakglass.practice.preparation import ROOT
from tests.platforms.place import ANSWER, session, wanted
from tests.platforms.software import PASSWORD_OF_MEMBER, PASSWORD_OF_OWNER, Software
from tests.platforms.words import NotAccepted, SignIn, Variant, added, changed

NOBODY_KNOWS = "pbkdf2_sha256$1000000$6oWrkWgHCkzmvNxhMyOmzs$AAAAAAAAA8N3W/2AuajwY1kFchjVLeZVS0KMhVuZBAU="
FORM_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
FORGOTTEN = "UPDATE {users} SET password = '" + NOBODY_KNOWS + "' WHERE {login} = '{owner}'"
DISABLED = "UPDATE {users} SET is_active = false WHERE {login} = '{owner}'"
# The owner as somebody who may change accounts, by a group, and is no superuser.
BY_GROUP = (
    "INSERT INTO auth_group (name) VALUES ('keepers')",
    "INSERT INTO auth_group_permissions (group_id, permission_id) SELECT g.id, p.id FROM auth_group AS g, auth_permission AS p"
    " WHERE g.name = 'keepers' AND p.codename IN ('add_{model}', 'change_{model}', 'view_{model}')",
    "INSERT INTO {users}_groups ({link}, group_id) SELECT u.id, g.id FROM {users} AS u, auth_group AS g"
    " WHERE u.{login} = '{owner}' AND g.name = 'keepers'",
    "UPDATE {users} SET is_superuser = false WHERE {login} = '{owner}'",
)
LOCK_OUTS: Mapping[str, tuple[str, ...]] = {
    "deleted": ("DELETE FROM django_admin_log", "DELETE FROM {users} WHERE {login} = '{owner}'"),
    "forgotten": (FORGOTTEN,),
    "unusable": ("UPDATE {users} SET password = '!and-then-anything' WHERE {login} = '{owner}'",),
    "disabled": (DISABLED,),
    "no_staff": ("UPDATE {users} SET is_staff = false WHERE {login} = '{owner}'",),
    "group_forgotten": (*BY_GROUP, FORGOTTEN),
    "group_disabled": (*BY_GROUP, DISABLED),
}


def _variants(users: str, login: str, owner: str, rescue: str) -> tuple[Variant, ...]:
    """The same ways to be locked out on both sites."""
    table, who = f"public.{users}", {login: owner}
    password = (changed(table, "password", **who),)
    enabled = (changed(table, "is_active", **who),)
    return (
        Variant("deleted", "create", rescue, (added(table, **{login: rescue}),)),
        Variant("forgotten", "reset", owner, password),
        Variant("unusable", "reset", owner, password, says=("no_password",)),
        Variant("disabled", "enable", owner, enabled, says=("disabled",)),
        Variant("no_staff", "enable", owner, (changed(table, "is_staff", **who),), says=("disabled",)),
        Variant("group_forgotten", "reset", owner, password),
        Variant("group_disabled", "enable", owner, enabled, says=("disabled",)),
    )


def _own_writes(users: str) -> Mapping[str, frozenset[str]]:
    return {f"public.{users}": frozenset({"last_login"}), "public.django_session": frozenset()}


class DjangoSite(Software):
    """Django's own accounts: auth_user."""

    name, title, package, profile = "django", "Django with auth_user", "Django", "django"
    requirements, program, ready = (), "python", "/admin/login/"
    owner, member = SignIn("owner", PASSWORD_OF_OWNER), SignIn("alice", PASSWORD_OF_MEMBER)
    variants = _variants("auth_user", "username", owner.login, "rescue")
    own_writes = _own_writes("auth_user")
    user_model, users, login, link, model = "auth.User", "auth_user", "username", "user_id", "user"
    accounts = "/admin/auth/user/"
    first = {"USERNAME": owner.login, "EMAIL": "owner@example.com"}

    @property
    def bin(self) -> Path:
        return Path(sys.executable).parent

    def install(self) -> None:
        """Django is here: the console is made with it."""

    def prepare(self) -> None:
        self._manage("migrate", "--verbosity", "0")
        first = {f"DJANGO_SUPERUSER_{name}": value for name, value in self.first.items()}
        first["DJANGO_SUPERUSER_PASSWORD"] = self.owner.password
        self._manage("createsuperuser", "--noinput", more=first)
        # Staff without a right on accounts: looks like an owner and is none.
        editor = f"create_user({self.address('editor')!r}, password='Editor-pass-1!x', is_staff=True)"
        self._manage("shell", "-c", f"from django.contrib.auth import get_user_model as m; m().objects.{editor}")

    def address(self, login: str) -> str:
        """A login as this site wants it."""
        return login

    def _manage(self, *words: str, more: Mapping[str, str] | None = None) -> None:
        self.call([sys.executable, "-m", "django", *words], self.environment() | dict(more or {}))

    def command(self) -> list[object]:
        return [sys.executable, "-m", "django", "runserver", "--noreload", f"127.0.0.1:{self.place.port}"]

    def environment(self) -> dict[str, str]:
        database = {"NAME": self.name, "USER": self.name, "PASSWORD": self.place.password, "PORT": "5432"}
        database["HOST"] = self.place.socket_folder
        return super().environment() | {
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": "tests.platforms.django_site.settings",
            "SITE_USER_MODEL": self.user_model,
            **{f"SITE_DATABASE_{key}": value for key, value in database.items()},
        }

    def populate(self) -> None:
        """Django has no tenants: somebody who is no staff."""
        self._add(self.owner, self.member)

    def lock_out(self, variant: str, dba: psycopg.Connection) -> None:
        names = {"users": self.users, "login": self.login, "link": self.link, "model": self.model}
        for statement in LOCK_OUTS[variant]:
            dba.execute(statement.format(**names, owner=self.owner.login).encode())

    def check_login(self, who: SignIn) -> None:
        """The admin site opens, and shows all accounts."""
        with self._signed_in(who) as browser:
            page = wanted(browser.get(self.place.url + self.accounts, timeout=ANSWER), 200)
            if self.member.login not in page.text:
                raise NotAccepted(f"{who.login} does not see all accounts")

    def check_member(self) -> None:
        """They see their own page, and not the admin site."""
        with self._signed_in(self.member, form="/sign-in/") as browser:
            if browser.get(f"{self.place.url}/me/", timeout=ANSWER).text != self.member.login:
                raise NotAccepted(f"{self.member.login} is not known")
            if "/admin/login" not in browser.get(self.place.url + self.accounts, timeout=ANSWER).url:
                raise NotAccepted(f"{self.member.login} sees the admin site")

    def create_user(self, owner: SignIn, login: str) -> None:
        added_one = SignIn(self.address(login), PASSWORD_OF_MEMBER)
        self._add(owner, added_one)
        self._signed_in(added_one, form="/sign-in/").close()

    def _add(self, owner: SignIn, who: SignIn) -> None:
        typed = {self.login: who.login, "password1": who.password, "password2": who.password, "usable_password": "true"}
        with self._signed_in(owner) as browser:
            page = self._sent(browser, f"{self.accounts}add/", typed | {"full_name": "Somebody"})
        if "/change/" not in page.url:
            raise NotAccepted(f"{who.login} was not added")

    def _signed_in(self, who: SignIn, *, form: str = "/admin/login/") -> requests.Session:
        browser = session()
        typed = {"username": who.login, "password": who.password, "next": "/me/" if form == "/sign-in/" else "/admin/"}
        if form in self._sent(browser, form, typed).url:
            raise NotAccepted(f"the form does not let {who.login} in")
        return browser

    def _sent(self, browser: requests.Session, path: str, typed: Mapping[str, str]) -> requests.Response:
        token = FORM_TOKEN.search(wanted(browser.get(self.place.url + path, timeout=ANSWER), 200).text)
        if token is None:
            raise NotAccepted(f"{path} shows no form")
        filled = {"csrfmiddlewaretoken": token[1], **typed}
        return wanted(browser.post(self.place.url + path, data=filled, timeout=ANSWER), 200)


class DjangoCustom(DjangoSite):
    """A user model of its own: the shipped profile with other names in it."""

    name, title = "djangocustom", "Django with a user model of its own"
    profile = str(Path(__file__).with_name("django_custom.toml"))
    owner, member = SignIn("owner@example.com", PASSWORD_OF_OWNER), SignIn("alice@example.com", PASSWORD_OF_MEMBER)
    variants = _variants("staff_colleague", "email", owner.login, "rescue@example.com")
    own_writes = _own_writes("staff_colleague")
    user_model, users, login, link, model = "staff.Colleague", "staff_colleague", "email", "colleague_id", "colleague"
    accounts = "/admin/staff/colleague/"
    first = {"EMAIL": owner.login, "FULL_NAME": "The Owner"}

    def address(self, login: str) -> str:
        return f"{login}@example.com"
