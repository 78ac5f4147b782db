"""Label Studio: an account, its membership, and an organisation that fails on every page when it belongs to nobody."""

import re
from collections.abc import Mapping

import psycopg
import requests

from tests.platforms.place import ANSWER, session, wanted
from tests.platforms.software import PASSWORD_OF_MEMBER, PASSWORD_OF_OWNER, Software
from tests.platforms.words import NotAccepted, SignIn, Variant, added, changed

RESCUE = "rescue@example.com"
NOBODY_KNOWS = "pbkdf2_sha256$1000000$6oWrkWgHCkzmvNxhMyOmzs$AAAAAAAAA8N3W/2AuajwY1kFchjVLeZVS0KMhVuZBAU="
FORM_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
OWNER_ID = "(SELECT id FROM htx_user WHERE email = 'owner@example.com')"
FORGOTTEN = f"UPDATE htx_user SET password = '{NOBODY_KNOWS}' WHERE id = {OWNER_ID}"
DISABLED = f"UPDATE htx_user SET is_active = false WHERE id = {OWNER_ID}"
TAKEN_OUT = (
    f"UPDATE organizations_organizationmember SET deleted_at = now() WHERE user_id = {OWNER_ID}",
    f"UPDATE htx_user SET active_organization_id = NULL WHERE id = {OWNER_ID}",
)
NOBODYS = f"UPDATE organization SET created_by_id = NULL WHERE created_by_id = {OWNER_ID}"
LOCK_OUTS: Mapping[str, tuple[str, ...]] = {
    "deleted": (
        NOBODYS,
        f"DELETE FROM organizations_organizationmember WHERE user_id = {OWNER_ID}",
        f"DELETE FROM authtoken_token WHERE user_id = {OWNER_ID}",
        f"DELETE FROM users_userproducttour WHERE user_id = {OWNER_ID}",
        f"DELETE FROM htx_user WHERE id = {OWNER_ID}",
    ),
    "forgotten": (FORGOTTEN,),
    "disabled": (DISABLED,),
    "membership": TAKEN_OUT,
    "membership_forgotten": (*TAKEN_OUT, NOBODYS, FORGOTTEN),
    "no_membership": (f"DELETE FROM organizations_organizationmember WHERE user_id = {OWNER_ID}",),
}
PASSWORD = changed("public.htx_user", "password", email="owner@example.com")
MEMBER = changed("public.organizations_organizationmember", "deleted_at", "updated_at")
BELONGS = changed("public.organization", "created_by_id", "updated_at")


class LabelStudio(Software):
    name, title, package, profile = "labelstudio", "Label Studio", "label-studio", "labelstudio"
    requirements = ("label-studio==1.23.2",)
    program, ready = "label-studio", "/health"
    major = 17  # it asks for the extension pg_trgm
    owner, member = SignIn("owner@example.com", PASSWORD_OF_OWNER), SignIn("alice@example.com", PASSWORD_OF_MEMBER)
    variants = (
        Variant(
            "deleted",
            "create",
            RESCUE,
            (added("public.htx_user", email=RESCUE), added("public.organizations_organizationmember"), BELONGS),
        ),
        Variant("forgotten", "reset", owner.login, (PASSWORD,)),
        Variant(
            "disabled",
            "enable",
            owner.login,
            (changed("public.htx_user", "is_active", is_active="true"),),
            says=("disabled",),
        ),
        Variant(
            "membership",
            "enable",
            owner.login,
            (changed("public.htx_user", "active_organization_id"), MEMBER),
            says=("no_membership",),
        ),
        Variant(
            "membership_forgotten",
            "reset",
            owner.login,
            (changed("public.htx_user", "password", "active_organization_id"), MEMBER, BELONGS),
            says=("no_membership", "other"),
        ),
        Variant(
            "no_membership",
            "enable",
            owner.login,
            (added("public.organizations_organizationmember"),),
            says=("no_membership",),
        ),
    )
    own_writes: Mapping[str, frozenset[str]] = {
        "public.htx_user": frozenset({"last_login", "last_activity", "activity_at"}),
    }

    def prepare(self) -> None:
        (self.folder / "data").mkdir(exist_ok=True)

    def command(self) -> list[object]:
        """The first time it makes its owner; later it must not, or it would bring a deleted one back."""
        place = ["--no-browser", "--internal-host", "127.0.0.1", "--port", self.place.port, "--log-level", "WARNING"]
        first = ["--username", self.owner.login, "--password", self.owner.password]
        return [self.bin / "label-studio", "start", *place, *([] if self.place.is_prepared() else first)]

    def environment(self) -> dict[str, str]:
        return super().environment() | {
            "DJANGO_DB": "default",
            "POSTGRE_NAME": self.name,
            "POSTGRE_USER": self.name,
            "POSTGRE_PASSWORD": self.place.password,
            "POSTGRE_HOST": self.place.socket_folder,
            "POSTGRE_PORT": "5432",
            "LABEL_STUDIO_BASE_DATA_DIR": str(self.folder / "data"),
            "LABEL_STUDIO_HOST": self.place.url,
            "SECRET_KEY": "not-a-secret-not-a-secret-42",
            "SENTRY_DSN": "",
            "FRONTEND_SENTRY_DSN": "",
            "COLLECT_ANALYTICS": "False",
            "LATEST_VERSION_CHECK": "False",
        }

    def populate(self) -> None:
        """Its one organisation is there already; the member comes by invitation."""
        with self._signed_in(self.owner) as browser:
            self._invited(browser, self.member)

    def lock_out(self, variant: str, dba: psycopg.Connection) -> None:
        for statement in LOCK_OUTS[variant]:
            dba.execute(statement)

    def check_login(self, who: SignIn) -> None:
        """The pages know them, the organisation shows its members, and the admin site all accounts."""
        with self._signed_in(who) as browser:
            me = self._me(browser)
            if me["email"] != who.login:
                raise NotAccepted(f"{who.login} is taken for {me['email']}")
            members = f"{self.place.url}/api/organizations/{me['active_organization']}/memberships"
            wanted(browser.get(members, timeout=ANSWER), 200)
            wanted(browser.get(f"{self.place.url}/projects/", timeout=ANSWER), 200)
            page = wanted(browser.get(f"{self.place.url}/admin/users/user/", timeout=ANSWER), 200)
            if self.member.login not in page.text:
                raise NotAccepted(f"the admin site does not show all accounts to {who.login}")

    def check_member(self) -> None:
        """They see themselves, and not the admin site."""
        with self._signed_in(self.member) as browser:
            if self._me(browser)["email"] != self.member.login:
                raise NotAccepted(f"{self.member.login} is not known")
            if "/admin/login" not in browser.get(f"{self.place.url}/admin/users/user/", timeout=ANSWER).url:
                raise NotAccepted(f"{self.member.login} sees the admin site")

    def create_user(self, owner: SignIn, login: str) -> None:
        added_one = SignIn(f"{login}@example.com", PASSWORD_OF_MEMBER)
        with self._signed_in(owner) as browser:
            self._invited(browser, added_one)
        with self._signed_in(added_one) as browser:
            self._me(browser)

    def _me(self, browser: requests.Session) -> dict:
        return wanted(browser.get(f"{self.place.url}/api/current-user/whoami", timeout=ANSWER), 200).json()

    def _signed_in(self, who: SignIn) -> requests.Session:
        browser = session()
        page = self._sent(browser, f"{self.place.url}/user/login/", {"email": who.login, "password": who.password})
        if "/user/login" in page.url:
            raise NotAccepted(f"the form does not let {who.login} in")
        return browser

    def _invited(self, owner: requests.Session, who: SignIn) -> None:
        """Sign up with the link that the owner gives."""
        link = wanted(owner.get(f"{self.place.url}/api/invite", timeout=ANSWER), 200).json()["invite_url"]
        address = link if link.startswith("http") else self.place.url + link
        typed = {"email": who.login, "password": who.password, "allow_newsletters": ""}
        with session() as browser:
            self._sent(browser, address, typed)
            self._me(browser)

    def _sent(self, browser: requests.Session, address: str, typed: Mapping[str, str]) -> requests.Response:
        token = FORM_TOKEN.search(wanted(browser.get(address, timeout=ANSWER), 200).text)
        if token is None:
            raise NotAccepted(f"{address} shows no form")
        filled = {"csrfmiddlewaretoken": token[1], **typed}
        return wanted(browser.post(address, data=filled, headers={"Referer": self.place.url}, timeout=ANSWER), 200)
